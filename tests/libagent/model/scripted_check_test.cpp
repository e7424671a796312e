#include "libagent/model/scripted.hpp"

#include <catch2/catch.hpp>
#include <re2/re2.h>

using namespace troupe;
using namespace troupe::scripted;

namespace {

std::string template_error(const std::string& text) {
  const auto checked = check_template(text);
  CAPTURE(text);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == errc::invalid_argument);
  return checked.error().detail;
}

std::string rule_error(const rule& candidate) {
  const auto checked = check_rule(candidate);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == errc::invalid_argument);
  return checked.error().detail;
}

rule saying(std::string text, scripted::condition when = {}) {
  return {std::move(when), std::move(text), {}, {}};
}

scripted::condition asked(const std::string& pattern) {
  return {{}, compile_pattern(pattern).value(), {}, {}};
}

scripted::condition after(std::string tool) {
  return {{}, {}, std::move(tool), {}};
}

} // namespace

TEST_CASE("a regular expression that RE2 takes is compiled") {
  const auto pattern = compile_pattern("(?i)memory of (?P<host>\\w+)");
  REQUIRE(pattern.has_value());
  CHECK(re2::RE2::PartialMatch("the MEMORY of web1", **pattern));
}

TEST_CASE("what RE2 does not take is an error with its reason") {
  const auto pattern = GENERATE(as<std::string>{}, "(", "[a", "a{2000}", "(?=ahead)", "(a)\\1", "\xFF");
  const auto compiled = compile_pattern(pattern);
  REQUIRE_FALSE(compiled.has_value());
  CHECK(compiled.error().code == errc::invalid_argument);
  CHECK(is_utf8(compiled.error().detail));
}

TEST_CASE("well-formed templates pass") {
  const auto text =
      GENERATE(as<std::string>{}, "", "plain } }} {", "{{user}} {{ agent }}", "{{0}} {{12}} {{a_name1}}",
               "{{output}} {{output.a.b.0}} {{output.two words}}", "{{{{ literal");
  CAPTURE(text);
  CHECK(check_template(text).has_value());
}

TEST_CASE("ill-formed templates are refused with the reason") {
  CHECK_THAT(template_error("open {{user"), Catch::Contains("without \"}}\""));
  CHECK_THAT(template_error("{{}}"), Catch::Contains("empty"));
  CHECK_THAT(template_error("{{  }}"), Catch::Contains("empty"));
  CHECK_THAT(template_error("{{output.}}"), Catch::Contains("empty part"));
  CHECK_THAT(template_error("{{output..a}}"), Catch::Contains("empty part"));
  CHECK_THAT(template_error("{{user.name}}"), Catch::Contains("{{user.name}}"));
  CHECK_THAT(template_error("{{1st}}"), Catch::Contains("{{1st}}"));
  CHECK_THAT(template_error("{{a b}}"), Catch::Contains("{{a b}}"));
  CHECK_THAT(template_error("{{1000}}"), Catch::Contains("too high"));
}

TEST_CASE("a rule does one thing, save that it may say something beside its calls") {
  CHECK(check_rule(saying("hi")).has_value());
  CHECK(check_rule({{}, {}, {{"x"}}, {}}).has_value());
  CHECK(check_rule({{}, "hi", {{"x"}}, {}}).has_value());
  CHECK(check_rule({{}, {}, {}, "other"}).has_value());
  CHECK_THAT(rule_error({}), Catch::Contains("one of say, call or handoff"));
  CHECK_THAT(rule_error({{}, "hi", {}, "other"}), Catch::Contains("handoff"));
  CHECK_THAT(rule_error({{}, {}, {{"x"}}, "other"}), Catch::Contains("handoff"));
}

TEST_CASE("a call needs a tool and an object of arguments") {
  CHECK_THAT(rule_error({{}, {}, {{""}}, {}}), Catch::Contains("tool's name"));
  CHECK_THAT(rule_error({{}, {}, {{"x", json::array()}}, {}}), Catch::Contains("object"));
}

TEST_CASE("a rule's templates may name only what its conditions give") {
  CHECK(check_rule(saying("{{1}} {{0}} {{n}}", asked("(?P<n>a)"))).has_value());
  CHECK(check_rule(saying("{{output.a}}", after("x"))).has_value());
  CHECK(check_rule(saying("{{output}}", {{}, {}, {}, compile_pattern("a").value()})).has_value());
  CHECK(check_rule(saying("{{user}} {{agent}}")).has_value());
  CHECK_THAT(rule_error(saying("{{2}}", asked("(a)"))),
             Catch::Contains("{{2}}") && Catch::Contains("beyond"));
  CHECK_THAT(rule_error(saying("{{m}}", asked("(?P<n>a)"))), Catch::Contains("{{m}}"));
  CHECK_THAT(rule_error(saying("{{1}}")), Catch::Contains("user condition"));
  CHECK_THAT(rule_error(saying("{{output}}", asked("a"))), Catch::Contains("tool or output condition"));
  CHECK_THAT(rule_error(saying("{{")), Catch::Contains("}}"));
}

TEST_CASE("templates inside arguments are checked too") {
  const auto arguments = json{{"list", {1, {{"deep", "{{9}}"}}}}};
  CHECK_THAT(rule_error({asked("(a)"), {}, {{"x", arguments}}, {}}), Catch::Contains("{{9}}"));
}
