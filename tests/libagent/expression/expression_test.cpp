#include "libagent/expression/expression.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

const json scope = parse_json(R"({
  "context": {"tier": "gold", "admin": true, "age": 41, "ratio": 1.5, "nothing": null, "odd key": 1, "user-id": "u1",
              "tags": ["a", "b", 3], "name": "Jos\u00e9", "in": "reserved", "7": "seven", "list": [[1, 2], {"x": "y"}]},
  "output": "all DONE here",
  "length": 5,
  "arguments": {"amount": 100, "items": [{"id": "i0"}, {"id": "i1"}], "pattern": "^a+$", "empty": ""}
})")
                       .value();

json value_of(const std::string& text) {
  CAPTURE(text);
  const auto compiled = expression::compile(text);
  const auto complaint = compiled ? std::string() : compiled.error().detail;
  CAPTURE(complaint);
  REQUIRE(compiled.has_value());
  const auto value = compiled->evaluate(scope);
  REQUIRE(value.has_value());
  return *value;
}

struct row {
  const char* text;
  json value;
};

} // namespace

TEST_CASE("literals stand for themselves") {
  const auto each =
      GENERATE(row{"1", 1}, row{"-1.5e2", -150.0}, row{"'a'", "a"}, row{"\"a\"", "a"}, row{"true", true},
               row{"false", false}, row{"null", nullptr}, row{"[]", json::array()},
               row{"[1, 'x', [null]]", {1, "x", json::array({nullptr})}}, row{R"('it\'s')", "it's"},
               row{R"("a\"b\\c\n\t\r")", "a\"b\\c\n\t\r"}, row{R"('\d+\.')", R"(\d+\.)"},
               row{"'\xC3\xA9'", "\xC3\xA9"}, row{"  7\n", 7});
  CHECK(value_of(each.text) == each.value);
}

TEST_CASE("paths lead to members and elements, or to null") {
  const auto each = GENERATE(
      row{"context.tier", "gold"}, row{"context . age", 41}, row{"context['odd key']", 1},
      row{"context[\"tier\"]", "gold"}, row{"context.user-id", "u1"}, row{"context.in", "reserved"},
      row{"arguments.items.1.id", "i1"}, row{"arguments.items[0].id", "i0"}, row{"context.list.0.1", 2},
      row{"context.list[1]['x']", "y"}, row{"context.7", "seven"}, row{"length", 5},
      row{"context.nothing", nullptr}, row{"nobody.knows", nullptr}, row{"context.tier.more", nullptr},
      row{"arguments.items.2", nullptr}, row{"arguments.items.99999999999999999999", nullptr},
      row{"arguments.items.id", nullptr}, row{"arguments.items[ 1 ].id", "i1"});
  CHECK(value_of(each.text) == each.value);
}

TEST_CASE("operators and functions") {
  const auto each = GENERATE(
      row{"context.tier == 'gold'", true}, row{"context.age != 41", false}, row{"1 == 1.0", true},
      row{"1 == '1'", false}, row{"context.nothing == nobody", true}, row{"[1,2] == context.list.0", true},
      row{"arguments.amount > 100", false}, row{"arguments.amount >= 100", true},
      row{"context.ratio < 2", true}, row{"2 <= 1", false}, row{"'a' < 'b'", true}, row{"'Z' >= 'a'", false},
      row{"'a' in context.tags", true}, row{"3.0 in context.tags", true}, row{"'c' in context.tags", false},
      row{"'c' not in context.tags", true}, row{"'tier' in context", true}, row{"'level' in context", false},
      row{"'DONE' in output", true}, row{"output contains 'DONE'", true},
      row{"output contains 'done'", false}, row{"context contains 'tier'", true},
      row{"context.tags contains 'b'", true}, row{"nobody contains 'x'", false}, row{"'x' in nobody", false},
      row{"nobody in output", false}, row{"null in [null]", true},
      row{"context.tier in ['gold', 'silver']", true}, row{"output matches 'D[A-Z]+E'", true},
      row{"output matches '^D'", false}, row{R"(output matches '\bDONE\b')", true},
      row{"'aaa' matches arguments.pattern", true}, row{"nobody matches 'x*'", false},
      row{"length(context.tags)", 3}, row{"length(context.name)", 4}, row{"length(arguments)", 4},
      row{"length(nobody)", 0}, row{"length(arguments.empty) == 0", true},
      row{"length (output) > length('x')", true}, row{"lower('ABC \xC3\x89')", "abc \xC3\x89"},
      row{"lower(nobody)", nullptr}, row{"lower(output) contains 'done'", true});
  CHECK(value_of(each.text) == each.value);
}

TEST_CASE("not binds tighter than and, and tighter than or, comparisons tightest of all") {
  const auto each =
      GENERATE(row{"true or false and false", true}, row{"(true or false) and false", false},
               row{"not true or true", true}, row{"not (true or true)", false}, row{"not 1 == 2", true},
               row{"!false && !false", true}, row{"false || true", true}, row{"not not true", true},
               row{"nobody or true", true}, row{"nobody and true", false}, row{"not nobody", true},
               row{"true and true and false", false}, row{"(1 == 1) == true", true},
               row{"not 'c' in context.tags", true});
  CHECK(value_of(each.text) == each.value);
}

TEST_CASE("what is decided already is not looked at") {
  CHECK(value_of("true or 1 < 'a'") == json(true));
  CHECK(value_of("false and 1 < 'a'") == json(false));
  CHECK(value_of("nobody and lower(1)") == json(false));
}

TEST_CASE("roots are the first names of paths, each once") {
  const auto compiled = expression::compile(
      "context.a == 'b' and (arguments.c in [output, context.d]) or length(length) > lower.x");
  REQUIRE(compiled.has_value());
  CHECK(compiled->roots() == std::vector<std::string>{"context", "arguments", "output", "length", "lower"});
  CHECK(expression::compile("'text' == \"context\"")->roots().empty());
}

TEST_CASE("a copy of an expression is the same expression") {
  const auto copy = [] {
    const auto made = expression::compile("x == 1").value();
    return made;
  }();
  CHECK(copy.text() == "x == 1");
  CHECK(copy.test({{"x", 1}}).value());
  CHECK_FALSE(copy.test({{"x", 2}}).value());
}

TEST_CASE("a scope that is not an object has no names") {
  CHECK(expression::compile("x == null")->test(json::array({1})).value());
}
