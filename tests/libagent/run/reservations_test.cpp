#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

TEST_CASE("an answer that is cut where the budget ends is what the run has produced, and no more") {
  const auto granted = [] { return reserved{3, fail(errc::budget_exceeded, "cut")}; };
  const auto cut = [](item_list output, std::string reason = "length") {
    model_response response;
    response.output = std::move(output);
    response.finish_reason = std::move(reason);
    return model_answered{std::move(response)};
  };
  const auto plain = make_agent("m");
  const auto guarded = make_agent("m", [](auto& a) { a.output_guardrails = {{"g"}}; });
  const item_list half = {assistant_message{"", "half"}, tool_call{"c", "a", "{", ""}};
  auto silent = fail(errc::model_failed, "nothing came");
  silent.facts = std::make_shared<const json>(json{{"finish_reason", "length"}});
  struct {
    const char* situation;
    moves events;
    const char* story;
    const char* ending;
  } const rows[] = {
      {"cut", {enter(plain), collected, granted(), cut(half)}, "U:hello A:half", "budget_exceeded"},
      {"cut by the Messages API",
       {enter(plain), collected, granted(), cut(half, "max_tokens")},
       "U:hello A:half",
       "budget_exceeded"},
      {"nothing of it where guardrails have had no say",
       {enter(guarded), collected, granted(), cut(half)},
       "U:hello",
       "budget_exceeded"},
      {"cut before anything came",
       {enter(plain), collected, granted(), model_failed{silent}},
       "U:hello",
       "budget_exceeded"},
      {"whole",
       {enter(plain), collected, granted(), cut({assistant_message{"", "whole"}}, "stop")},
       "U:hello A:whole",
       "ok:whole"},
      {"cut at the agent's own bound",
       {enter(plain), collected, reserved{}, cut({assistant_message{"", "half"}})},
       "U:hello A:half",
       "ok:half"},
      {"a bound of one call is not that of the next",
       {enter(plain), collected, granted(), calls({"a"}), reserved{}, tool_says(0, "x"), collected,
        reserved{}, cut({assistant_message{"", "half"}})},
       "U:hello C:a O:x A:half",
       "ok:half"},
  };
  for (const auto& r : rows) {
    INFO(r.situation);
    const auto played = play(r.events, {}, nullptr, true);
    CHECK(story(played.run.fresh) == r.story);
    CHECK(ending(played.run) == r.ending);
  }
  const auto played = play({enter(plain), collected, granted()}, {}, nullptr, true);
  const auto& settings = std::get<call_model>(played.done.back()).request->settings;
  CHECK(settings.max_tokens == 3u);
  CHECK(settings.token_bound == 3u);
}

TEST_CASE("calls of tools are counted when they begin, once") {
  const auto careful = make_agent("m", [](auto& a) { a.tool_policies["b"].approval.needed = true; });
  auto played = play({enter(careful), collected, calls({"a", "b", "nope"}), tool_says(0, "x")});
  CHECK(played.run.used.total().tool_calls == 1);
  keep(played.run);
  CHECK(played.run.used.total().tool_calls == 1);
  play_on(played, {enter(careful), decide({approve("1.1")}), collected, tool_says(1, "y")});
  CHECK(played.run.used.total().tool_calls == 2);
  CHECK(played.run.used.shares().size() == 1);
}
