#pragma once

#include "libagent/config/reader.hpp"

#include <string>
#include <vector>

namespace troupe::config {

/// Something wrong between the parts of a configuration.
struct problem {
  /// Of the part, like the paths of `spots`.
  std::string path;
  std::string message;
  /// It is accepted, but probably not meant.
  bool is_hint = false;
};

/// Checks names and the references between models, servers and agents, and what they mean together. `where`
/// tells which names must not be shown and what was reported already; null for a configuration that was not
/// read from a file. Stops after `defaults::max_diagnostics` problems.
std::vector<problem> find_problems(const configuration& value, const spots* where);

/// Where the part was written, or else the nearest part around it.
place place_of(const spots& where, std::string path);

} // namespace troupe::config
