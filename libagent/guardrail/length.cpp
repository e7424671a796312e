#include "libagent/guardrail/length.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::guardrail {

namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// The first `count` characters.
std::string_view beginning(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; end < text.size(); ++end)
    if (begins_character(text[end]) && count-- == 0)
      break;
  return text.substr(0, end);
}

} // namespace

verdict check(const length_rule& rule, std::string_view text) {
  const auto length = count_characters(text);
  const bool is_short = length < rule.min;
  if ((!is_short && length <= rule.max) || rule.on_break == action::pass)
    return {};
  if (rule.on_break == action::rewrite && !is_short)
    return {action::rewrite, std::string(beginning(text, rule.max)),
            fmt::format("cut a text of {} characters to {}", length, rule.max)};
  const auto standard =
      fmt::format("the text has {} characters, but {} {} are allowed", length,
                  is_short ? "no fewer than" : "no more than", is_short ? rule.min : rule.max);
  const auto what = rule.on_break == action::rewrite ? action::reject : rule.on_break;
  return {what, {}, rule.message.empty() ? standard : rule.message};
}

} // namespace troupe::guardrail
