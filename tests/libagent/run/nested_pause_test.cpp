#include "tests/libagent/run/paused_rows.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const auto caller = make_agent("caller", [](auto& a) {
  a.agent_tools = {{"helper", "", ""}};
  a.handoffs = {"ops"};
});
const wish ask_helper{"helper", R"({"input":"?"})"};

} // namespace

TEST_CASE("runs that pause inside a call pause the outer run") {
  const auto before = moves{enter(caller), collected, wishes({{"b"}, ask_helper}), pauses(1, paused_helper()),
                            tool_says(0, "y")};
  const strings waits = {"1.1/1.0 helper.a", "1.1/1.1 helper.a"};
  check_paused({
      {"decisions go to the run that waits",
       before,
       waits,
       {enter(caller), decide({approve("1.1/1.0"), reject("1.1/1.1")}), collected, tool_says(1, "helped")},
       "collect tools(1) collect",
       "U:hello C:b C:helper O:y O:helped",
       "collecting"},
      {"it may pause again",
       before,
       waits,
       {enter(caller), decide({approve("1.1/1.0")}), collected, pauses(1, paused_helper()), enter(caller),
        decide({approve("1.1/1.1")}), collected},
       "collect tools(1) pause collect tools(1)",
       "U:hello C:b C:helper",
       "acting"},
      {"nothing is decided about one of two",
       {enter(caller), collected, wishes({ask_helper, ask_helper}), pauses(1, paused_helper()),
        pauses(0, paused_helper())},
       {"1.0/1.0 helper.a", "1.0/1.1 helper.a", "1.1/1.0 helper.a", "1.1/1.1 helper.a"},
       {enter(caller), decide({approve("1.1/1.0")}), collected, tool_says(1, "x")},
       "collect tools(1) pause",
       "U:hello C:helper C:helper",
       "paused"},
      {"an agent that is gone is told to the model",
       before,
       waits,
       {enter(make_agent("caller")), decide({approve("1.1/1.0")}), collected},
       "collect collect",
       "U:hello C:b C:helper O:y O:!Error: the tool 'helper' is not available any more.",
       "collecting"},
      {"a stop",
       before,
       waits,
       {stop()},
       "finish",
       "U:hello C:b C:helper O:y O:!not finished: by the user",
       "cancelled"},
  });
}

TEST_CASE("a nested run gets its part of the decisions, by its own ids") {
  auto played = play({enter(caller), collected, wishes({ask_helper}), pauses(0, paused_helper())});
  keep(played.run);
  play_on(played, {enter(caller), decide({approve("1.0/1.1"), reject("1.0/1.0", "no")}), collected});
  const auto& call = std::get<call_tools>(played.done.back()).calls.at(0);
  REQUIRE(call.nested);
  CHECK(waiting(*call.nested) == strings{"1.0 helper.a", "1.1 helper.a"});
  REQUIRE(call.decisions.size() == 2);
  CHECK(call.decisions[0].id == "1.1");
  CHECK(call.decisions[1].id == "1.0");
  CHECK(call.decisions[1].message == "no");
  CHECK(check_decisions(*call.nested, call.decisions).has_value());
}

TEST_CASE("what a nested run spent before it was given up counts") {
  const auto before = moves{enter(caller), collected, wishes({ask_helper}), pauses(0, paused_helper())};
  auto stopped_run = play(before);
  play_on(stopped_run, {stop()});
  CHECK(stopped_run.run.used.total().requests == 2);
  auto gone = play(before);
  play_on(gone, {enter(make_agent("caller")), decide({approve("1.0/1.0")}), collected});
  CHECK(gone.run.used.total().requests == 2);
}

TEST_CASE("teams pause with their members, and no two steps have the same ids") {
  const auto team = make_agent("team", [](auto& a) {
    a.kind = agent_kind::sequential;
    a.members.members = {"helper", "helper"};
  });
  check_paused({
      {"a member goes on, then the next one pauses",
       {enter(team), pauses(0, paused_helper())},
       {"1.0/1.0 helper.a", "1.0/1.1 helper.a"},
       {enter(team), decide({approve("1.0/1.0")}), tool_says(0, "x"), pauses(0, paused_helper())},
       "tools(0) tools(0) pause",
       "U:hello",
       "paused"},
      {"a stop",
       {enter(team), pauses(0, paused_helper())},
       {"1.0/1.0 helper.a", "1.0/1.1 helper.a"},
       {stop()},
       "finish",
       "U:hello",
       "cancelled"},
      {"a team that became an agent cannot go on",
       {enter(team), pauses(0, paused_helper())},
       {"1.0/1.0 helper.a", "1.0/1.1 helper.a"},
       {enter(make_agent("team")), resumed{{approve("1.0/1.0")}}},
       "finish",
       "U:hello",
       "invalid_config"},
  });
  auto played = play({enter(team), pauses(0, paused_helper()), enter(team), decide({approve("1.0/1.0")}),
                      tool_says(0, "x"), pauses(0, paused_helper())});
  keep(played.run);
  CHECK(waiting(played.run) == strings{"2.0/1.0 helper.a", "2.0/1.1 helper.a"});
  CHECK_FALSE(check_decisions(played.run, {approve("1.0/1.0")}).has_value());
}

TEST_CASE("an agent that was approved and pauses again is neither counted nor begun anew") {
  const auto boss = make_agent("m", [](auto& a) {
    a.agent_tools = {{"helper", "helper", ""}};
    a.tool_policies["helper"].approval.needed = true;
    a.tool_policies["b"].approval.needed = true;
  });
  const auto nested = std::make_shared<const state>(
      play({enter(make_agent("helper", [](auto& a) { a.tool_policies["a"].approval.needed = true; })),
            collected, calls({"a"})})
          .run);
  auto played = play({enter(boss), collected, reserved{}, wishes({{"helper", R"({"input":"?"})"}, {"b"}})},
                     {}, nullptr, true);
  play_on(played,
          {reserved{}, enter(boss), decide({approve("1.0")}), collected, reserved{}, call_paused{0, nested}});
  CHECK(ending(played.run) == "paused");
  // The other call is decided; the nested run still waits.
  play_on(played, {enter(boss), decide({reject("1.1")}), collected});
  CHECK(ending(played.run) == "paused");
  CHECK(played.run.used.total().tool_calls == 1);
}
