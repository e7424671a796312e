#pragma once

#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

/// All that the program writes, without the agent file's secrets.
namespace troupe::cli {

/// Writes to stdout, at once. False, and a word on stderr, if that cannot be done.
bool print(std::string_view text);
/// The same with a JSON text and a line break; `indent` spaces a level, or on one line if negative.
bool print_json(const json& value, int indent = -1);

/// Writes to stderr.
void print_error(const std::string& text);
template <class... Values>
void complain(fmt::format_string<Values...> text, Values&&... values) {
  print_error(fmt::format(text, std::forward<Values>(values)...));
}

} // namespace troupe::cli
