#pragma once

#include "libagent/config/config.hpp"

#include <string>
#include <variant>

namespace troupe::cli {

/// Why there is no configuration; it has been said on stderr.
enum class no_configuration {
  /// No file was named, and there is no `troupe.yaml` in the working directory.
  no_file,
  /// The file has errors, or cannot be read.
  bad_file,
};

/// Loads the agent file of that name, `troupe.yaml` in the working directory if it is empty. Errors are
/// printed to stderr, one a line; warnings are logged.
std::variant<config::configuration, no_configuration> load_agent_file(const std::string& name);

/// Whether the file has an agent of that name; if not, says on stderr which there are.
bool has_agent(const config::configuration& file, const std::string& name);

} // namespace troupe::cli
