#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

#include <deque>

#include <set>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

struct script {
  const char* name;
  moves events;
  bool has_budget = false;
};

/// Between them they reach every phase.
std::vector<script> scripts() {
  const auto guarded = make_agent("m", [](auto& a) {
    a.input_guardrails = {{"before"}, {"beside", true}};
    a.tool_policies["a"].output_guardrails = {"result"};
    a.tool_policies["b"].input_guardrails = {"call"};
    a.output_guardrails = {{"last"}};
    a.handoffs = {"ops"};
  });
  const auto careful = make_agent("m", [](auto& a) {
    a.tool_policies["a"].approval.needed = true;
    a.agent_tools = {{"helper", "", ""}};
  });
  const auto helper = make_agent("helper", [](auto& a) { a.tool_policies["a"].approval.needed = true; });
  const auto nested = std::make_shared<const state>(play({enter(helper), collected, calls({"a"})}).run);
  const auto team = make_agent("team", [](auto& a) {
    a.kind = agent_kind::parallel;
    a.members.members = {"x", "y"};
    a.members.judge = "z";
    a.output_guardrails = {{"last"}};
  });
  return {
      {"guardrails everywhere, tools and a handoff",
       {enter(guarded),
        passes("before"),
        collected,
        calls({"a", "b", "transfer_to_ops"}),
        rewrites("beside", "hullo"),
        collected,
        calls({"a", "b", "transfer_to_ops"}),
        rejects("call", "no"),
        tool_says(0, "x"),
        tool_says(1, "y"),
        passes("result"),
        enter(guarded),
        collected,
        says("bad"),
        rejects("last", "mend it"),
        collected,
        calls({"nope"}),
        collected,
        says("good"),
        passes("last")}},
      {"approvals, a nested run and a budget",
       {enter(careful), collected, reserved{}, wishes({{"a"}, {"b"}, {"helper", R"({"input":"?"})"}}),
        reserved{}, tool_says(1, "y"), call_paused{2, nested}, enter(careful),
        resumed{{approve("1.0"), approve("1.2/1.0")}}, collected, reserved{}, tool_says(0, "x"),
        tool_says(2, "z"), collected, reserved{}, says("done")},
       true},
      {"a team with a judge",
       {enter(team), tool_says(1, "2"), call_paused{0, nested}, enter(team), resumed{{approve("1.0/1.0")}},
        tool_says(0, "1"), tool_says(0, "both"), passes("last")}},
  };
}

moves part_of(const moves& all, std::size_t from, std::size_t to) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)};
}

} // namespace

TEST_CASE("the scripts reach every phase, and end well") {
  std::set<phase> reached;
  for (const auto& script : scripts()) {
    INFO(script.name);
    auto played = play({}, {}, nullptr, script.has_budget);
    for (const auto& each : script.events) {
      reached.insert(played.run.at);
      play_on(played, {each});
    }
    reached.insert(played.run.at);
    INFO(played.effects);
    CHECK(played.run.at == phase::finished);
    CHECK_FALSE(played.run.failure);
  }
  CHECK(reached.size() == static_cast<std::size_t>(phase::finished) + 1);
}

TEST_CASE("a stop at any moment ends the run at once, with a well-formed history, and for good") {
  for (const auto& script : scripts()) {
    for (std::size_t i = 0; i < script.events.size(); ++i) {
      auto played = play(part_of(script.events, 0, i), {}, nullptr, script.has_budget);
      INFO(script.name << " after " << i << ": " << played.effects);
      const auto effects = step(played.run, stopped{fail(errc::cancelled, "by the user")});
      REQUIRE(effects.size() == 1);
      CHECK(describe(effects[0]) == "finish");
      CHECK(ending(played.run) == "cancelled");
      CHECK(flaw(played.run.fresh) == "");
      const auto kept = story(played.run.fresh);
      for (const auto& each : {stop(), stop_after(), refuse(), move(reserved{}), collected, says("late")})
        CHECK(step(played.run, each(played)).empty());
      CHECK(story(played.run.fresh) == kept);
    }
  }
}

TEST_CASE("a stop after the turn, at any moment, starts no further model call than the one under way") {
  for (const auto& script : scripts()) {
    for (std::size_t i = 0; i < script.events.size(); ++i) {
      auto played = play(part_of(script.events, 0, i), {}, nullptr, script.has_budget);
      INFO(script.name << " after " << i << ": " << played.effects);
      const auto turns = played.run.turns;
      const bool may_begin = played.run.at == phase::collecting || played.run.at == phase::reserving;
      play_on(played, {stop_after()});
      for (std::size_t j = i; j < script.events.size() && played.run.at != phase::finished; ++j)
        play_on(played, {script.events[j]});
      INFO(played.effects);
      CHECK(played.run.at == phase::finished);
      CHECK(played.run.turns <= turns + (may_begin ? 1 : 0));
      CHECK(flaw(played.run.fresh) == "");
    }
  }
}

TEST_CASE("an event that comes twice changes nothing the second time") {
  for (const auto& script : scripts()) {
    auto played = play({}, {}, nullptr, script.has_budget);
    for (const auto& each : script.events) {
      std::deque<event> due{each(played)};
      for (; !due.empty(); due.pop_front()) {
        const auto& what = due.front();
        INFO(script.name << ": " << played.effects);
        std::vector<call_reported> reported;
        for (auto& effect : step(played.run, what)) {
          if (const auto* told = std::get_if<report_call>(&effect))
            reported.push_back({told->index});
          played.effects += " " + describe(effect);
          played.done.push_back(std::move(effect));
        }
        // Calls know their answers by their place in the turn, so that those who make them have to answer
        // once.
        const auto* answer = std::get_if<tool_answered>(&what);
        const bool runs_again = answer != nullptr && played.run.at == phase::acting &&
                                played.run.open_calls.at(answer->index).at == open_call::stage::running;
        if (!runs_again) {
          const auto before = story(played.run.fresh);
          const auto at = played.run.at;
          CHECK(step(played.run, what).empty());
          CHECK(story(played.run.fresh) == before);
          CHECK(played.run.at == at);
        }
        due.insert(due.end(), reported.begin(), reported.end());
      }
    }
    CHECK(played.run.at == phase::finished);
  }
}
