#include "libagent/guardrail/pattern.hpp"

#include <catch2/catch.hpp>

using namespace troupe::guardrail;

namespace {

pattern_rule rule(std::vector<std::string> patterns, action what, bool must_match = false) {
  pattern_rule made;
  for (const auto& pattern : patterns)
    made.patterns.push_back(compile_pattern(pattern).value());
  made.on_match = what;
  made.must_match = must_match;
  return made;
}

std::string rewritten(std::vector<std::string> patterns, std::string replacement, const char* text) {
  auto made = rule(std::move(patterns), action::rewrite);
  made.replacement = std::move(replacement);
  const auto given = check(made, text);
  return given.what == action::pass ? "(pass)" : given.text;
}

} // namespace

TEST_CASE("a pattern rule acts if one of its patterns is found") {
  const auto what = GENERATE(action::reject, action::trip);
  const auto secrets = rule({"(?i)secret", "^x"}, what);
  CHECK(check(secrets, "a SECRET here").what == what);
  CHECK(check(secrets, "xyz").what == what);
  CHECK(check(secrets, "ax").what == action::pass);
  CHECK(check(secrets, "").what == action::pass);
}

TEST_CASE("with must_match a pattern rule acts if none is found") {
  const auto json_only = rule({"^\\{", "^\\["}, action::reject, true);
  CHECK(check(json_only, "{}").what == action::pass);
  CHECK(check(json_only, "[]").what == action::pass);
  CHECK(check(json_only, "text").what == action::reject);
  CHECK(check(rule({}, action::trip, true), "x").what == action::trip);
}

TEST_CASE("a pattern rule says its own message or a standard one, never the text") {
  auto made = rule({"secret"}, action::trip);
  CHECK(check(made, "secret").message == "the text matches a pattern that is not allowed");
  made.message = "no secrets";
  CHECK(check(made, "secret").message == "no secrets");
}

TEST_CASE("matches are replaced, each pattern after the other, the replacement as it is") {
  CHECK(rewritten({"\\d+"}, "#", "a1b22c") == "a#b#c");
  CHECK(rewritten({"(\\d)(\\d)"}, "\\2\\1", "12") == "\\2\\1");
  CHECK(rewritten({"a", "b"}, "b", "ab") == "bb");
  CHECK(rewritten({"x*"}, "-", "axxb") == "a-b");
  CHECK(rewritten({"^a"}, "", "aab") == "ab");
  CHECK(rewritten({"\xC3\xA9"}, "e", "\xC3\xA9t\xC3\xA9") == "ete");
  CHECK(rewritten({"$"}, "!", "text") == "(pass)");
  CHECK(rewritten({"a"}, "a", "aa") == "(pass)");
}

TEST_CASE("a rewrite says how much was replaced") {
  auto made = rule({"\\d"}, action::rewrite);
  CHECK(check(made, "1 2 3").message == "replaced 3 matches");
  CHECK(check(made, "1").message == "replaced 1 match");
}

TEST_CASE("a text in which nothing is found that must be is replaced whole") {
  auto made = rule({"^ok"}, action::rewrite, true);
  made.replacement = "sorry";
  CHECK(check(made, "bad").text == "sorry");
  CHECK(check(made, "ok then").what == action::pass);
}

TEST_CASE("what is no pattern of RE2 is refused with the reason") {
  const auto made = compile_pattern("a(");
  REQUIRE_FALSE(made.has_value());
  CHECK_THAT(made.error().detail, Catch::Contains("missing )"));
  CHECK_FALSE(compile_pattern("(?=look)").has_value());
}
