#pragma once

#include "libagent/core/json.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A condition of an agent file, such as `context.tier == 'gold' and length(arguments.items) > 3`. Immutable,
/// cheap to copy, used from any thread.
///
///     expression  = conjunction { ("or" | "||") conjunction }
///     conjunction = negation { ("and" | "&&") negation }
///     negation    = ("not" | "!") negation | comparison
///     comparison  = operand [ operator operand ]
///     operator    = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not" "in" | "contains" | "matches"
///     operand     = number | string | "true" | "false" | "null" | list | call | path | "(" expression ")"
///     list        = "[" [ expression { "," expression } ] "]"
///     call        = ("length" | "lower") "(" expression ")"
///     path        = name { "." (name | index) | "[" (string | index) "]" }
///     number      = as in JSON (RFC 8259, section 6)
///     string      = "'" { character } "'" | '"' { character } '"'
///     name        = (letter | "_") { letter | digit | "_" | "-" }
///     index       = digit { digit }
///
/// Comparisons do not chain. A path's first name is none of the words above; `length` and `lower` are
/// functions only before a bracket. In strings, \\ \' \" \n \r \t are as in JSON; a backslash before anything
/// else stands for itself, so that '\d' needs no second one.
///
/// - A path that leads nowhere is null. An index counts list elements from 0, or names a member of an object.
/// - `and`, `or`, `not` take booleans, null counting as false, and look at the right side only if they must.
/// - `==` is equality of JSON values; values of different types are unequal, 1 and 1.0 are equal.
/// - `<` and its kind take two numbers, or two strings (by code point).
/// - `a in b`, or `b contains a`: a is an element of the list b, a key of the object b, a part of the string
/// b. Null
///   contains nothing.
/// - `a matches b`: the regular expression b (RE2) is found in the string a; in null nothing is found.
/// - `length`: code points of a string, elements of a list, members of an object, 0 for null.
/// - `lower`: a string with A to Z in lower case; null stays null.
class expression {
public:
  /// At most 4 KiB of UTF-8, nested at most 64 deep. Error `invalid_argument` says at which column (in
  /// characters, from 1) what was expected; a literal pattern after `matches` is checked too.
  static result<expression> compile(std::string_view text);

  const std::string& text() const noexcept;

  /// The value in `scope`, an object of what paths may name. Error `invalid_argument` on operands of wrong
  /// types, which it names.
  result<json> evaluate(const json& scope) const;

  /// The value as a condition: null is false; error `invalid_argument` if it is neither null nor a boolean.
  result<bool> test(const json& scope) const;

  /// The first names of its paths, each once, in the order of the text: what `scope` is asked for.
  const std::vector<std::string>& roots() const noexcept;

private:
  struct compiled;
  explicit expression(std::shared_ptr<const compiled> impl);
  std::shared_ptr<const compiled> impl_;
};

} // namespace troupe
