#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// Appends the text as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD. For bodies
/// that hold a whole conversation and would be costly as a tree of values.
void append_json_string(std::string& out, std::string_view text);

} // namespace troupe
