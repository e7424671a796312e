#pragma once

#include "libagent/core/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::expressions {

struct token {
  enum class kind { end, name, number, string, symbol };
  kind what = kind::end;
  /// The token as written; for a string with its quotes.
  std::string_view text;
  std::size_t offset = 0;

  bool is(kind expected, std::string_view written) const { return what == expected && text == written; }
};

/// Cuts text, which it does not own, into tokens, one ahead of who reads them. Names take no quotes or
/// escapes; symbols are the operators and brackets of expressions and templates.
class lexer {
public:
  explicit lexer(std::string_view text, std::size_t offset = 0) : text_(text), next_(offset) {}

  /// The token to come. Error `invalid_argument` at a character that begins none, or a string without an end.
  result<token> peek();
  /// Goes past the token that `peek` gave.
  void skip() { next_ = ahead_.offset + ahead_.text.size(); }
  /// Goes past the next token if it is this symbol or name.
  result<bool> take(token::kind what, std::string_view written);

  /// The digits at the very place where the last token ended, if any: indexes of paths, which as numbers
  /// would swallow the next dot.
  std::string_view take_digits();

  std::size_t offset() const noexcept { return next_; }
  /// The error that at the token something else was expected.
  error expected(std::string_view what, const token& found) const;
  error wrong_at(std::size_t offset, std::string_view why) const;

private:
  std::size_t length_at(std::size_t offset) const;
  token::kind kind_at(std::size_t offset) const;

  std::string_view text_;
  std::size_t next_;
  token ahead_;
};

/// What a string token stands for.
std::string unquoted(std::string_view written);

} // namespace troupe::expressions
