#include "libagent/expression/path.hpp"

#include "libagent/core/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::expressions {

namespace {

constexpr auto reserved =
    std::array<std::string_view, 9>{"true", "false", "null", "and", "or", "not", "in", "contains", "matches"};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

result<std::string> parse_dotted(lexer& from) {
  if (const auto digits = from.take_digits(); !digits.empty())
    return std::string(digits);
  const auto found = from.peek();
  if (!found)
    return found.error();
  if (found->what != token::kind::name)
    return from.expected("a name or an index", *found);
  from.skip();
  return std::string(found->text);
}

result<std::string> parse_bracketed(lexer& from) {
  const auto found = from.peek();
  if (!found)
    return found.error();
  const bool is_index = found->what == token::kind::number && all_digits(found->text);
  if (found->what != token::kind::string && !is_index)
    return from.expected("a string or an index", *found);
  from.skip();
  auto step = is_index ? std::string(found->text) : unquoted(found->text);
  const auto closed = from.take(token::kind::symbol, "]");
  if (!closed)
    return closed.error();
  if (*closed)
    return step;
  const auto instead = from.peek();
  return instead ? from.expected("']'", *instead) : instead.error();
}

const json* step_into(const json& value, const std::string& step) {
  if (value.is_object())
    return find(value, step);
  std::size_t index = 0;
  const auto* end = step.data() + step.size();
  const auto [stop, code] = std::from_chars(step.data(), end, index);
  const bool is_index = code == std::errc{} && stop == end;
  return value.is_array() && is_index && index < value.size() ? &value[index] : nullptr;
}

} // namespace

result<path> parse_path(lexer& from, std::string_view first) {
  auto way = path{std::string(first)};
  while (true) {
    const auto next = from.peek();
    if (!next)
      return next.error();
    const bool is_dot = next->is(token::kind::symbol, ".");
    if (!is_dot && !next->is(token::kind::symbol, "["))
      return way;
    from.skip();
    auto step = is_dot ? parse_dotted(from) : parse_bracketed(from);
    if (!step)
      return step.error();
    way.push_back(std::move(*step));
  }
}

const json* follow(const json& scope, const path& way) {
  const auto* at = scope.is_object() ? &scope : nullptr;
  for (const auto& step : way) {
    if (at == nullptr)
      return nullptr;
    at = step_into(*at, step);
  }
  return at;
}

bool is_reserved(std::string_view name) {
  return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

result<bool> parse_literal(const lexer& from, const token& found, json& into) {
  if (found.what == token::kind::string) {
    into = unquoted(found.text);
    return true;
  }
  const bool is_constant = found.what == token::kind::name &&
                           (found.text == "true" || found.text == "false" || found.text == "null");
  if (found.what != token::kind::number && !is_constant)
    return false;
  auto parsed = parse_json(found.text);
  if (!parsed)
    return from.expected("a number as JSON has them", found);
  into = std::move(*parsed);
  return true;
}

void remember_root(std::vector<std::string>& roots, const path& way) {
  if (std::find(roots.begin(), roots.end(), way.front()) == roots.end())
    roots.push_back(way.front());
}

} // namespace troupe::expressions
