#pragma once

#include "libagent/config/config.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::config {

/// Reads the text as the file `/etc/troupe/agents.yaml`, with just these variables set.
inline load_result read(const std::string& text, std::map<std::string, std::string> variables = {}) {
  return parse(text, "/etc/troupe/agents.yaml", [variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  });
}

/// All errors as "LINE:COLUMN: message".
inline std::vector<std::string> errors_of(const load_result& from) {
  std::vector<std::string> all;
  for (const auto& one : from.errors)
    all.push_back(std::to_string(one.line) + ":" + std::to_string(one.column) + ": " + one.message);
  return all;
}

inline std::vector<std::string> errors_of(const std::string& text,
                                          const std::map<std::string, std::string>& variables = {}) {
  return errors_of(read(text, variables));
}

/// The only error, or all of them where there is not just one.
inline std::string error_of(const std::string& text,
                            const std::map<std::string, std::string>& variables = {}) {
  std::string all;
  for (const auto& one : errors_of(text, variables))
    all += (all.empty() ? "" : "\n") + one;
  return all;
}

inline std::string first_warning(const load_result& from) {
  if (from.warnings.empty())
    return {};
  const auto& one = from.warnings.front();
  return std::to_string(one.line) + ":" + std::to_string(one.column) + ": " + one.message;
}

/// A wrong value as it is written, and what is said of it.
struct mistake {
  std::string written;
  std::string message;
};

/// The smallest valid file, for tests that add a block to it. It ends in a newline.
inline const std::string minimal = "models: {default: {provider: openai, model: m}}\nagents: [{name: a}]\n";

} // namespace troupe::config
