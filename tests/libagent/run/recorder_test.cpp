#include "libagent/run/journal.hpp"
#include "libagent/run/state_json.hpp"
#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

unsigned count_of(const std::string& what, const std::string& text) {
  unsigned count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

} // namespace

TEST_CASE("what a tool has said is written once while its turn lasts, and once with the conversation") {
  const auto agent = make_agent("m");
  auto played = play({enter(agent), collected, calls(std::vector<std::string>(8, "a"))});
  recorder by;
  std::vector<json> records{by.take(played.run, {})};
  for (std::size_t i = 0; i < 8; ++i) {
    play_on(played, {tool_says(i, fmt::format("said {}", i))});
    records.push_back(by.take(played.run, {}));
  }
  CHECK(played.run.open_calls.empty());
  std::string text;
  for (const auto& each : records)
    text += dump_json(each);
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(count_of(fmt::format("said {}", i), text) == (i == 7 ? 1 : 2));
  CHECK(state_to_json(fold(records).value()->run) == state_to_json(played.run));
}

TEST_CASE("a change of a call that is not there is refused, whatever its place looks like") {
  const auto agent = make_agent("m");
  auto played = play({enter(agent), collected, calls({"a", "a"})});
  recorder by;
  const auto whole = by.take(played.run, {});
  for (const char* place : {"2", "-1", "", "0x1", "1 ", "99999999999999999999999"}) {
    CAPTURE(place);
    const json change = {{"changed", {{place, {{"set", {{"stage", "settled"}}}}}}}};
    CHECK_FALSE(fold({whole, change}).has_value());
  }
  for (const json& part : {json(7), json{{"set", 7}}, json{{"unset", {7}}}}) {
    CAPTURE(part);
    CHECK_FALSE(fold({whole, {{"changed", {{"0", part}}}}}).has_value());
  }
}
