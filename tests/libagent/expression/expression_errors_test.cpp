#include "libagent/expression/expression.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

struct row {
  std::string text;
  std::string detail;
};

error complaint(const std::string& text) {
  CAPTURE(text);
  const auto compiled = expression::compile(text);
  REQUIRE_FALSE(compiled.has_value());
  return compiled.error();
}

std::string nested(const std::string& open, const std::string& close, std::size_t depth) {
  std::string text = "x";
  for (std::size_t i = 0; i < depth; ++i)
    text = open + text + close;
  return text;
}

} // namespace

TEST_CASE("what does not compile is answered with the column and what was expected") {
  const auto each = GENERATE(
      row{"", "column 1: expected a value, a path or '(', found the end"},
      row{"a ==", "column 5: expected a value, a path or '(', found the end"},
      row{"a = 1", "column 3: '=' means nothing here; write '==' to compare"},
      row{"a == 1 b", "column 8: expected an operator or the end, found \"b\""},
      row{"a < 1 < 2", "column 7: expected 'and' or 'or' between two comparisons, found \"<\""},
      row{"(a", "column 3: expected ')', found the end"},
      row{"a)", "column 2: expected an operator or the end"},
      row{"[1, 2", "column 6: expected ']', found the end"}, row{"[1,]", "column 4: expected a value"},
      row{"'abc", "column 1: a string without its closing quote"},
      row{"a == 'b\\'", "column 6: a string without its closing quote"},
      row{"'\xC3\xA9\xC3\xA9' ?", "column 6: '?' means nothing here"},
      row{"a == \xC3\xA9", "column 6: '\xC3\xA9' means nothing here"},
      row{"a.", "column 3: expected a name or an index, found the end"},
      row{"a.'b'", "column 3: expected a name or an index, found \"'b'\""},
      row{"a[b]", "column 3: expected a string or an index, found \"b\""},
      row{"a[-1]", "column 3: expected a string or an index, found \"-1\""},
      row{"a['b'", "column 6: expected ']', found the end"}, row{"and", "column 1: expected a value"},
      row{"not", "column 4: expected a value"}, row{"a not b", "column 7: expected 'in', found \"b\""},
      row{"upper(a)", "column 1: expected the function 'length' or 'lower', found \"upper\""},
      row{"length()", "column 8: expected a value"},
      row{"length(a, b)", "column 9: expected ')', found \",\""},
      row{"1 + 1", "column 3: '+' means nothing here"},
      row{"3 - a", "column 3: expected an operator or the end"},
      row{"01", "column 1: expected a number as JSON has them"},
      row{"1.2.3", "column 1: expected a number as JSON has them"},
      row{"1e999", "column 1: expected a number as JSON has them"},
      row{"a matches '('", "column 11: not a regular expression of RE2: missing )"},
      row{"a matches 5", "column 11: expected a regular expression in quotes, found \"5\""},
      row{"a ==\n  b c", "line 2, column 5: expected an operator or the end"}, row{"{{a}}", "column 1: '{'"},
      row{"\xFF", "not UTF-8"});
  const auto reason = complaint(each.text);
  CHECK(reason.code == errc::invalid_argument);
  CHECK_THAT(reason.detail, StartsWith(each.detail));
}

TEST_CASE("depth and length of an expression are bounded") {
  const auto brackets = GENERATE(row{"(", ")"}, row{"[", "]"}, row{"not ", ""}, row{"length(", ")"});
  CHECK(expression::compile(nested(brackets.text, brackets.detail, 64)).has_value());
  CHECK_THAT(complaint(nested(brackets.text, brackets.detail, 65)).detail, Contains("nested more than 64"));
  CHECK_THAT(complaint(std::string(4000, '(')).detail, Contains("nested more than 64"));
  std::string chain = "x";
  while (chain.size() + 5 <= 4096)
    chain += " or x";
  CHECK(expression::compile(chain).has_value());
  CHECK_THAT(complaint(std::string(4097, ' ')).detail, Contains("longer than 4096 bytes"));
}

TEST_CASE("every beginning of an expression compiles or fails, and nothing else") {
  const std::string text =
      "not (context['k\\'y'].0 in [1.5e3, \"\xC3\xA9\", null]) and length(a.b) >= -2 || x matches '[a-z]+'";
  REQUIRE(expression::compile(text).has_value());
  for (std::size_t end = 0; end < text.size(); ++end) {
    const auto cut = expression::compile(text.substr(0, end));
    if (!cut)
      CHECK_FALSE(cut.error().detail.empty());
  }
}

TEST_CASE("operands of wrong types are errors that name them") {
  const json scope = {{"n", 1}, {"s", "x"}, {"l", json::array()}, {"o", json::object()}, {"bad", "("}};
  const auto each =
      GENERATE(row{"n < s", "'<' takes two numbers or two strings, not a number and a string"},
               row{"missing > 1", "'>' takes two numbers or two strings, not null and a number"},
               row{"l <= o", "not a list and an object"}, row{"true >= false", "not a boolean and a boolean"},
               row{"n and true", "'and' takes booleans, not a number"},
               row{"false or s", "'or' takes booleans, not a string"},
               row{"not l", "'not' takes booleans, not a list"},
               row{"s in n", "'in' takes a list, an object or a string to look in, not a number"},
               row{"n contains s", "'contains' takes a list"},
               row{"n in s", "a string to look for in a string, not a number"},
               row{"n in o", "a string to look for in an object, not a number"},
               row{"n not in s", "'not in' takes a string to look for"},
               row{"n matches 'x'", "'matches' takes a string to look in, not a number"},
               row{"s matches n", "'matches' takes a regular expression in a string, not a number"},
               row{"s matches bad", "not a regular expression of RE2"},
               row{"length(n)", "'length' takes a string, a list or an object, not a number"},
               row{"lower(l)", "'lower' takes a string, not a list"});
  CAPTURE(each.text);
  const auto value = expression::compile(each.text).value().evaluate(scope);
  REQUIRE_FALSE(value.has_value());
  CHECK(value.error().code == errc::invalid_argument);
  CHECK_THAT(value.error().detail, Contains(each.detail));
}

TEST_CASE("a condition is a boolean, or null for false") {
  const json scope = {{"yes", true}, {"text", "true"}};
  CHECK(expression::compile("yes")->test(scope).value());
  CHECK_FALSE(expression::compile("missing")->test(scope).value());
  const auto text = GENERATE("text", "1", "[]");
  const auto tested = expression::compile(text)->test(scope);
  REQUIRE_FALSE(tested.has_value());
  CHECK_THAT(tested.error().detail, Contains("neither true nor false"));
}
