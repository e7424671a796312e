#pragma once

#include "libagent/expression/lexer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::expressions {

/// The way to a value: names of members and indexes of elements, as written. Never empty once parsed.
using path = std::vector<std::string>;

/// Reads a path whose first name has been read.
result<path> parse_path(lexer& from, std::string_view first);

/// The value, or null if there is none. Lives as long as the scope.
const nlohmann::json* follow(const nlohmann::json& scope, const path& way);

/// Words that no path begins with.
bool is_reserved(std::string_view name);

/// The literal that the token is, without going past it; false if it is none. Error at a number out of bounds
/// or shape.
result<bool> parse_literal(const lexer& from, const token& found, nlohmann::json& into);

/// Adds the name if it is not there yet.
void remember_root(std::vector<std::string>& roots, const path& way);

} // namespace troupe::expressions
