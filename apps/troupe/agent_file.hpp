#pragma once

#include "libagent/config/config.hpp"

#include <string>
#include <variant>
#include <vector>

namespace troupe::cli {

/// Why there is no configuration; it has been said on stderr.
enum class no_configuration {
  /// No file was named, and there is no `troupe.yaml` in the working directory.
  no_file,
  /// The file has errors, or cannot be read.
  bad_file,
};

/// What is wrong with an agent file, and what is probably not meant.
struct findings {
  std::vector<config::diagnostic> errors;
  std::vector<config::diagnostic> warnings;
};

/// Loads the agent file of that name, `troupe.yaml` in the working directory if it is empty. Errors are
/// printed to stderr, one a line; warnings are logged. Both are put into `found` too, if it is given.
std::variant<config::configuration, no_configuration> load_agent_file(const std::string& name,
                                                                      findings* found = nullptr);

/// The name by which the file is loaded and called in messages.
std::string agent_file_name(const std::string& name);

/// Whether the file has an agent of that name; if not, says on stderr which there are.
bool has_agent(const config::configuration& file, const std::string& name);

} // namespace troupe::cli
