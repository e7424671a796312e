#include "support.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <random>

using namespace troupe::guardrail;
using Catch::Matchers::Contains;

namespace {

const std::string secret = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1";

std::string repeated(const std::string& text) {
  constexpr std::size_t mebibyte = 1u << 20;
  std::string made;
  while (made.size() < mebibyte)
    made += text;
  return made;
}

} // namespace

TEST_CASE("what is found is masked by its kind, the rest stays") {
  const auto given = check(pii_rule{}, "Bob <bob@example.com>, +49 170 1234567, 4111 1111 1111 1111, "
                                       "DE89 3704 0044 0532 0130 00, api_key=" +
                                           secret + "; bye");
  CHECK(given.what == action::rewrite);
  CHECK(given.text == "Bob <[EMAIL]>, [PHONE], [CARD], [IBAN], api_key=[KEY]; bye");
  CHECK(given.message == "masked 1 email, 1 card, 1 phone, 1 iban, 1 key");
}

TEST_CASE("a text without personal data passes") {
  CHECK(check(pii_rule{}, "").what == action::pass);
  CHECK(check(pii_rule{}, "on 2024-01-15 at 12:30").what == action::pass);
}

TEST_CASE("the mask may be any text") {
  pii_rule rule;
  rule.mask = GENERATE(as<std::string>{}, "***", "<{}>", "", "{}{}", "redacted_{}_0123456789");
  const auto given = check(rule, "password=" + secret + " a@example.com b@example.com");
  CHECK_THAT(given.text, !Contains(secret) && !Contains("@"));
  CHECK(check(rule, given.text).what == action::pass);
}

TEST_CASE("rejecting and tripping say what was found and never its text") {
  pii_rule rule;
  rule.on_find = GENERATE(action::reject, action::trip);
  const auto given = check(rule, "a@example.com b@example.com");
  CHECK(given.what == rule.on_find);
  CHECK(given.message == "the text holds personal data or keys (2 email)");
  CHECK(given.text.empty());
  rule.message = "no addresses";
  CHECK(check(rule, "a@example.com").message == "no addresses");
  rule.on_find = action::pass;
  CHECK(check(rule, "a@example.com").what == action::pass);
}

TEST_CASE("a number behind a key is masked too, though only the mask sets it apart") {
  const auto given = check(pii_rule{}, "AKIAABCD2345EFGH6789+491701234567");
  CHECK_THAT(given.text, !Contains("1234567"));
}

TEST_CASE("masked text passes unchanged, whatever stands beside what") {
  const auto pieces = std::array<std::string, 24>{"bob@example.com",
                                                  "4111 1111 1111 1111",
                                                  "5555555555554444",
                                                  "+49 170 1234567",
                                                  "555-123-4567",
                                                  "030 1234567",
                                                  "06 12 34 56 78",
                                                  "DE89370400440532013000",
                                                  "GB82 WEST 1234 5698 7654 32",
                                                  "ghp_" + secret + "abc456789",
                                                  "AKIAABCD2345EFGH6789",
                                                  "password=",
                                                  "token: ",
                                                  "Bearer ",
                                                  "-----BEGIN PRIVATE KEY-----\n",
                                                  secret,
                                                  " ",
                                                  "-",
                                                  ".",
                                                  "1",
                                                  "x",
                                                  "@",
                                                  "[KEY]",
                                                  "\n"};
  std::minstd_rand random(7);
  std::size_t masked = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (auto left = 1 + random() % 8; left > 0; --left)
      text += pieces[random() % pieces.size()];
    const auto once = check(pii_rule{}, text);
    if (once.what == action::pass)
      continue;
    ++masked;
    CAPTURE(text, once.text);
    REQUIRE(check(pii_rule{}, once.text).what == action::pass);
  }
  CHECK(masked > 1000);
}

TEST_CASE("bytes that are not UTF-8 do no harm") {
  for (int byte = 0; byte < 256; ++byte) {
    const auto odd = std::string(1, static_cast<char>(byte));
    const auto given = check(pii_rule{}, odd + " a@example.com " + odd);
    CHECK(given.text == odd + " [EMAIL] " + odd);
  }
}

TEST_CASE("a mebibyte of bad will is looked through in a test's time") {
  const auto text = GENERATE_COPY(std::string(1u << 20, '1'), repeated("001"), repeated("4111 "),
                                  repeated("+1-"), repeated("a@a."), repeated("a.@"), repeated("012 345 "),
                                  repeated("DE89 "), repeated("eyJaaaaaaaaaa."), repeated("token:"),
                                  repeated("sk-"), repeated("-----BEGIN PRIVATE KEY-----"),
                                  repeated("bearer "), repeated("AKIAABCD2345EFGH6789+491701234567"));
  const auto given = check(pii_rule{}, text);
  CHECK((given.what == action::pass || given.what == action::rewrite));
}
