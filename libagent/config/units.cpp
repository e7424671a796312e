#include "libagent/config/units.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace troupe::config {

namespace {

struct unit {
  std::string_view name;
  double factor;
};

constexpr auto duration_units = std::array{unit{"ms", 1}, unit{"s", 1000}, unit{"m", 60'000},
                                           unit{"h", 3'600'000}, unit{"d", 86'400'000}};

constexpr auto size_units =
    std::array{unit{"b", 1},          unit{"kb", 1000},      unit{"mb", 1e6},      unit{"gb", 1e9},
               unit{"kib", 1u << 10}, unit{"mib", 1u << 20}, unit{"gib", 1u << 30}};

template <std::size_t N>
std::optional<double> factor_of(std::string_view name, const std::array<unit, N>& units) {
  for (const auto& candidate : units)
    if (candidate.name == name)
      return candidate.factor;
  return std::nullopt;
}

bool belongs_to_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate predicate) {
  const auto end = std::find_if_not(text.begin(), text.end(), predicate);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

std::string lower_case(std::string_view text) {
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

/// `from_chars` takes no plus sign.
std::string_view without_plus(std::string_view text) {
  return text.size() > 1 && text[0] == '+' && text[1] != '-' ? text.substr(1) : text;
}

} // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE")
    return true;
  if (text == "false" || text == "False" || text == "FALSE")
    return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = without_plus(text);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  text = without_plus(text);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

bool looks_like_number(std::string_view text) {
  static const re2::RE2 number{
      R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|)"
      R"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))"};
  return re2::RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, number);
}

std::optional<double> parse_duration(std::string_view text) {
  if (text.empty())
    return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto number = parse_number(take_while(text, belongs_to_number));
    const auto factor = factor_of(take_while(text, is_letter), duration_units);
    if (!number || !factor)
      return std::nullopt;
    total += *number * *factor;
  }
  return total;
}

std::optional<double> parse_size(std::string_view text) {
  const auto number = parse_number(take_while(text, belongs_to_number));
  const auto factor = factor_of(lower_case(text), size_units);
  if (!number || !factor)
    return std::nullopt;
  return *number * *factor;
}

} // namespace troupe::config
