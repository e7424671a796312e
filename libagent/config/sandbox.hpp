#pragma once

#include "libagent/config/child_options.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// The program that makes sandboxes, bubblewrap, in one of the folders of a PATH; nothing if it is not
/// installed.
std::optional<std::filesystem::path> find_bubblewrap(std::string_view path);
/// In this process's PATH.
std::optional<std::filesystem::path> find_bubblewrap();

/// What `bwrap` is called with to run a command in a sandbox. It sees /usr, /etc and the system's other
/// folders and its working directory, none of which it can write to, an empty /tmp of its own, and what is
/// named. A folder inside another one goes by its own rule.
std::vector<std::string> bubblewrap_arguments(const sandbox_options& box, const std::filesystem::path& cwd,
                                              const std::string& command,
                                              const std::vector<std::string>& args);

} // namespace troupe::config
