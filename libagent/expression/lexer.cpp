#include "libagent/expression/lexer.hpp"

#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::expressions {

namespace {

/// Longer ones first.
constexpr auto symbols = std::array<std::string_view, 18>{"==", "!=", "<=", ">=", "&&", "||", "}}", "<", ">",
                                                          "!",  "|",  "(",  ")",  "[",  "]",  ",",  ".", "-"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_start(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

template <class Predicate>
std::size_t run_length(std::string_view text, Predicate predicate) {
  const auto end = std::find_if_not(text.begin(), text.end(), predicate);
  return static_cast<std::size_t>(end - text.begin());
}

/// Whatever looks like a number, so that "1.2.3" is one wrong number and not two tokens.
std::size_t number_length(std::string_view text) {
  auto end = std::size_t{1};
  const auto goes_on = [&] {
    const char c = text[end];
    const bool is_sign = (c == '+' || c == '-') && (text[end - 1] == 'e' || text[end - 1] == 'E');
    return is_digit(c) || is_name_start(c) || c == '.' || is_sign;
  };
  while (end < text.size() && goes_on())
    ++end;
  return end;
}

/// Up to and with the closing quote; 0 if there is none.
std::size_t string_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == text[0])
      return i + 1;
  }
  return 0;
}

/// "column 5", or "line 2, column 5" in a text of several lines.
std::string place_in(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line_start = before.rfind('\n') + 1;
  const auto line = before.substr(line_start);
  const auto column =
      line.size() - static_cast<std::size_t>(std::count_if(line.begin(), line.end(), is_continuation)) + 1;
  if (text.find('\n') == std::string_view::npos)
    return fmt::format("column {}", column);
  return fmt::format("line {}, column {}", std::count(before.begin(), before.end(), '\n') + 1, column);
}

std::string_view first_character(std::string_view text) {
  return text.substr(0, 1 + run_length(text.substr(1), is_continuation));
}

/// The characters at the beginning, enough to recognise them.
std::string shown(std::string_view text) {
  constexpr std::size_t enough = 24;
  if (text.size() <= enough)
    return std::string(text);
  auto end = enough;
  while (end > 0 && is_continuation(text[end]))
    --end;
  return std::string(text.substr(0, end)) + "...";
}

} // namespace

token::kind lexer::kind_at(std::size_t offset) const {
  const auto rest = text_.substr(offset);
  if (rest.empty())
    return token::kind::end;
  if (rest[0] == '\'' || rest[0] == '"')
    return token::kind::string;
  if (is_digit(rest[0]) || (rest[0] == '-' && rest.size() > 1 && is_digit(rest[1])))
    return token::kind::number;
  return is_name_start(rest[0]) ? token::kind::name : token::kind::symbol;
}

std::size_t lexer::length_at(std::size_t offset) const {
  const auto rest = text_.substr(offset);
  switch (kind_at(offset)) {
  case token::kind::end:
    return 0;
  case token::kind::string:
    return string_length(rest);
  case token::kind::number:
    return number_length(rest);
  case token::kind::name:
    return run_length(rest, [](char c) { return is_name_start(c) || is_digit(c) || c == '-'; });
  case token::kind::symbol:
    break;
  }
  for (const auto symbol : symbols)
    if (rest.starts_with(symbol))
      return symbol.size();
  return 0;
}

result<token> lexer::peek() {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  const auto start = next_ + run_length(text_.substr(next_), is_space);
  const auto what = kind_at(start);
  const auto length = length_at(start);
  if (length == 0 && what == token::kind::string)
    return wrong_at(start, "a string without its closing quote");
  if (length == 0 && what == token::kind::symbol && text_[start] == '=')
    return wrong_at(start, "'=' means nothing here; write '==' to compare");
  if (length == 0 && what == token::kind::symbol)
    return wrong_at(start, fmt::format("'{}' means nothing here", first_character(text_.substr(start))));
  ahead_ = {what, text_.substr(start, length), start};
  return ahead_;
}

result<bool> lexer::take(token::kind what, std::string_view written) {
  const auto found = peek();
  if (!found)
    return found.error();
  if (!found->is(what, written))
    return false;
  skip();
  return true;
}

std::string_view lexer::take_digits() {
  const auto digits = text_.substr(next_, run_length(text_.substr(next_), is_digit));
  next_ += digits.size();
  return digits;
}

error lexer::expected(std::string_view what, const token& found) const {
  const auto instead =
      found.what == token::kind::end ? std::string("the end") : fmt::format("\"{}\"", shown(found.text));
  return wrong_at(found.offset, fmt::format("expected {}, found {}", what, instead));
}

error lexer::wrong_at(std::size_t offset, std::string_view why) const {
  return fail(errc::invalid_argument, fmt::format("{}: {}", place_in(text_, offset), why));
}

std::string unquoted(std::string_view written) {
  const auto body = written.substr(1, written.size() - 2);
  std::string made;
  made.reserve(body.size());
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\') {
      made += body[i];
      continue;
    }
    switch (const char next = body[++i]) {
    case '\\':
    case '\'':
    case '"':
      made += next;
      break;
    case 'n':
      made += '\n';
      break;
    case 'r':
      made += '\r';
      break;
    case 't':
      made += '\t';
      break;
    default:
      made += '\\';
      made += next;
    }
  }
  return made;
}

} // namespace troupe::expressions
