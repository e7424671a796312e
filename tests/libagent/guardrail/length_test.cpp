#include "libagent/guardrail/builtin.hpp"

#include <catch2/catch.hpp>

using namespace troupe::guardrail;

namespace {

/// Five characters in nine bytes.
const std::string five = "a\xC3\xA9\xE2\x82\xAC"
                         "bc";

length_rule between(std::size_t min, std::size_t max, action what, std::string message = {}) {
  return {min, max, what, std::move(message)};
}

} // namespace

TEST_CASE("a text of the right length passes, counted in characters") {
  const auto what = GENERATE(action::rewrite, action::reject, action::trip);
  CHECK(check(between(5, 5, what), five).what == action::pass);
  CHECK(check(between(0, 0, what), "").what == action::pass);
  CHECK(check(between(4, 4, what), five).what == what);
  CHECK(check(length_rule{}, std::string(100'000, 'x')).what == action::pass);
}

TEST_CASE("a text that is too long is cut between characters") {
  const char* cuts[] = {"", "a", "a\xC3\xA9", "a\xC3\xA9\xE2\x82\xAC",
                        "a\xC3\xA9\xE2\x82\xAC"
                        "b"};
  for (std::size_t max = 0; max < 5; ++max) {
    const auto given = check(between(0, max, action::rewrite), five);
    CHECK(given.what == action::rewrite);
    CHECK(given.text == cuts[max]);
  }
  CHECK(check(between(0, 2, action::rewrite), five).message == "cut a text of 5 characters to 2");
}

TEST_CASE("a text that is too short cannot be cut, so that it is rejected") {
  const auto given = check(between(6, 9, action::rewrite), five);
  CHECK(given.what == action::reject);
  CHECK(given.message == "the text has 5 characters, but no fewer than 6 are allowed");
}

TEST_CASE("a length rule says its own message, or how long the text may be") {
  CHECK(check(between(0, 4, action::trip), five).message ==
        "the text has 5 characters, but no more than 4 are allowed");
  CHECK(check(between(0, 4, action::reject, "too much"), five).message == "too much");
  CHECK(check(between(0, 4, action::pass), five).what == action::pass);
}

TEST_CASE("a built-in guardrail does what its rule does") {
  CHECK(check(builtin(between(0, 1, action::trip)), "ab").what == action::trip);
  CHECK(check(builtin(pii_rule{}), "a@example.com").text == "[EMAIL]");
  CHECK(check(builtin(pattern_rule{}), "x").what == action::pass);
}
