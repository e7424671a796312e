#include "libagent/run/interruption.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using Catch::Matchers::Contains;

namespace {

const json stored = {
    {"id", "i1"}, {"kind", "handoff"}, {"agent", "a"}, {"tool", "transfer_to_b"}, {"arguments", {{"x", 1}}}};

decision decided(const char* text) {
  return decision_from_json(parse_json(text).value()).value();
}

} // namespace

TEST_CASE("an interruption survives its JSON form") {
  const auto read = interruption_from_json(stored).value();
  CHECK(read.what == interruption::kind::handoff);
  CHECK(*read.arguments == json{{"x", 1}});
  CHECK(to_json(std::vector{read}) == json::array({stored}));
}

TEST_CASE("an interruption without arguments is written with none") {
  CHECK(to_json(interruption{}).at("arguments") == json::object());
}

TEST_CASE("an interruption with any member missing or wrong is refused by that member's name") {
  for (const auto& [name, value] : stored.items()) {
    for (const auto& wrong : {json(), json(7)}) {
      CAPTURE(name, wrong);
      auto broken = stored;
      broken[name] = wrong;
      const auto read = interruption_from_json(broken);
      REQUIRE_FALSE(read.has_value());
      CHECK(read.error().code == errc::malformed);
      CHECK_THAT(read.error().detail, Contains("'" + name + "'"));
      broken.erase(name);
      CHECK_FALSE(interruption_from_json(broken).has_value());
    }
  }
  CHECK_FALSE(interruption_from_json(json::array()).has_value());
}

TEST_CASE("decisions approve, approve always, edit or reject") {
  const auto plain = decided(R"({"id":"i","decision":"approve","always":null})");
  CHECK(plain.what == decision::verdict::approve);
  CHECK_FALSE(plain.always);
  CHECK_FALSE(plain.arguments);
  CHECK(decided(R"({"id":"i","decision":"approve","always":true})").always);
  CHECK(decided(R"({"id":"i","decision":"approve","arguments":{"a":1}})").arguments == json{{"a", 1}});
  const auto rejected = decided(R"({"id":"i","decision":"reject","message":"no","always":false})");
  CHECK(rejected.what == decision::verdict::reject);
  CHECK(rejected.message == "no");
}

TEST_CASE("a decision that is not one says which member is wrong and what would be right") {
  struct row {
    const char* text;
    const char* detail;
  };
  const auto bad = GENERATE(
      row{R"([])", "object"}, row{R"({"decision":"approve"})", "'id'"},
      row{R"({"id":"","decision":"approve"})", "'id'"}, row{R"({"id":"i"})", "\"approve\" or \"reject\""},
      row{R"({"id":"i","decision":"approved"})", "\"approve\" or \"reject\""},
      row{R"({"id":"i","decision":true})", "'decision'"},
      row{R"({"id":"i","decision":"approve","alway":true})", "'alway' is unknown"},
      row{R"({"id":"i","decision":"approve","always":"yes"})", "true or false"},
      row{R"({"id":"i","decision":"approve","arguments":"{}"})", "'arguments' must be an object"},
      row{R"({"id":"i","decision":"reject","message":5})", "'message' must be a text"},
      row{R"({"id":"i","decision":"approve","message":"x"})", "\"reject\" and \"fail\" only"},
      row{R"({"id":"i","decision":"reject","always":true})", "\"approve\" only"},
      row{R"({"id":"i","decision":"reject","arguments":{}})", "\"approve\" only"});
  CAPTURE(bad.text);
  const auto read = decision_from_json(parse_json(bad.text).value());
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == errc::invalid_argument);
  CHECK_THAT(read.error().detail, Contains(bad.detail));
}
