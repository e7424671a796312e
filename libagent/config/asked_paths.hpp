#pragma once

#include "libagent/config/reader.hpp"

#include <string>
#include <vector>

namespace troupe::config {

/// The members that the paths of an expression or template ask `root` for, each once, in their order:
/// `arguments.a.b > 1` asks `arguments` for `a`. The text has to be well-formed; of another one it is as many
/// as can be told.
std::vector<std::string> members_asked_of(std::string_view root, const std::string& expression);
std::vector<std::string> members_asked_in_template(std::string_view root, std::string_view text);

} // namespace troupe::config
