#include "tests/libagent/run/paused_rows.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const auto agent = make_agent("m", careful);

} // namespace

TEST_CASE("a paused run goes on from where it was, with what is decided") {
  check_paused({
      {"a yes runs the call, and only that",
       {enter(agent), collected, calls({"b", "a"}), tool_says(0, "y")},
       {"1.1 m.a"},
       {enter(agent), decide({approve("1.1")}), collected, tool_says(1, "x"), collected, says("done")},
       "collect tools(1) collect model finish",
       "U:hello C:b C:a O:y O:x A:done",
       "ok:done"},
      {"it pauses once the others are done",
       {enter(agent), collected, calls({"a", "b"}), tool_says(1, "y")},
       {"1.0 m.a"},
       {},
       "",
       "U:hello C:a C:b",
       "paused"},
      {"a no is told to the model in the words given",
       {enter(agent), collected, calls({"a"})},
       {"1.0 m.a"},
       {enter(agent), decide({reject("1.0", "too dear")}), collected},
       "collect collect",
       "U:hello C:a O:!too dear",
       "collecting"},
      {"or in usual words",
       {enter(agent), collected, calls({"a"})},
       {"1.0 m.a"},
       {enter(agent), decide({reject("1.0")}), collected},
       "collect collect",
       "U:hello C:a O:!The call of 'a' was not approved.",
       "collecting"},
      {"some are decided: they run, and the run waits again for the others",
       {enter(agent), collected, calls({"a", "add", "a"})},
       {"1.0 m.a", "1.2 m.a"},
       {enter(agent), decide({approve("1.2")}), collected, tool_says(2, "z"), enter(agent),
        decide({approve("1.0")}), collected, tool_says(0, "x")},
       "collect tools(2) pause collect tools(0) collect",
       "U:hello C:a C:add C:a O:x O:!Error: the arguments for 'add' break its schema: Missing required "
       "property 'n'. "
       "O:z",
       "collecting"},
      {"always: the others of the tool go on too, and later ones do not ask",
       {enter(agent), collected, wishes({{"a"}, {"a"}, {"add", R"({"n":1})"}})},
       {"1.0 m.a", "1.1 m.a", "1.2 m.add"},
       {enter(agent), decide({approve_always("1.0"), reject("1.2")}), collected, tool_says(0, "x"),
        tool_says(1, "y"), collected, calls({"a"})},
       "collect tools(0 1) collect model tools(0)",
       "U:hello C:a C:a C:add O:x O:y O:!The call of 'add' was not approved. C:a",
       "acting"},
      {"always for one does not outweigh a no for another",
       {enter(agent), collected, calls({"a", "a"})},
       {"1.0 m.a", "1.1 m.a"},
       {enter(agent), decide({approve_always("1.0"), reject("1.1")}), collected},
       "collect tools(0)",
       "U:hello C:a C:a",
       "acting"},
      {"the tools' guardrails look at approved calls",
       {enter(make_agent("m",
                         [](auto& a) {
                           careful(a);
                           a.tool_input_guardrails = {{"g"}};
                         })),
        collected, calls({"a"})},
       {"1.0 m.a"},
       {enter(make_agent("m", [](auto& a) { a.tool_input_guardrails = {{"g"}}; })), decide({approve("1.0")}),
        collected, passes("g")},
       "collect check(tool_input 0 g) tools(0)",
       "U:hello C:a",
       "acting"},
      {"the budget is asked for what was approved",
       {enter(agent), collected, reserved{}, calls({"a", "b", "a"}), reserved{}, tool_says(1, "y")},
       {"1.0 m.a", "1.2 m.a"},
       {enter(agent), decide({approve("1.0"), reject("1.2")}), collected, reserved{}},
       "collect reserve(1 tools) tools(0)",
       "U:hello C:a C:b C:a",
       "acting",
       true},
      {"and may refuse it",
       {enter(agent), collected, reserved{}, calls({"a"})},
       {"1.0 m.a"},
       {enter(agent), decide({approve("1.0")}), collected, refuse()},
       "collect reserve(1 tools) finish",
       "U:hello C:a O:!not finished: nothing is left",
       "budget_exceeded",
       true},
      {"a handoff that needs nobody's word waits for its turn to end",
       {enter(make_agent("m",
                         [](auto& a) {
                           careful(a);
                           a.handoffs = {"ops"};
                         })),
        collected, calls({"transfer_to_ops", "a"})},
       {"1.1 m.a"},
       {enter(make_agent("m", [](auto& a) { a.handoffs = {"ops"}; })), decide({approve("1.1")}), collected,
        tool_says(1, "x")},
       "collect tools(1) handoff(ops)",
       "U:hello C:transfer_to_ops C:a O:{\"assistant\":\"ops\"} O:x",
       "handing_off"},
      {"notes on an output that was not good enough are kept",
       {enter(make_agent("m",
                         [](auto& a) {
                           careful(a);
                           a.output_guardrails = {{"g"}};
                         })),
        collected, says("bad"), rejects("g", "mend it"), collected, calls({"a"})},
       {"2.0 m.a"},
       {enter(agent), decide({reject("2.0")}), collected, collected},
       "collect collect model",
       "U:hello C:a O:!The call of 'a' was not approved.",
       "thinking"},
  });
}

TEST_CASE("a paused run can be stopped, at once or after the turn") {
  for (const auto& end : {stop(), stop_after()})
    check_paused({{"waiting calls get an output",
                   {enter(agent), collected, calls({"a", "b"}), tool_says(1, "y")},
                   {"1.0 m.a"},
                   {end, enter(agent), resumed{{approve("1.0")}}, collected},
                   "finish",
                   "U:hello C:a C:b O:!not finished: by the user O:y",
                   "cancelled"}});
}

TEST_CASE("tools may have changed while the run was paused") {
  const auto without = [](const char* tool) {
    return make_agent("m", [&](auto& a) {
      a.tool_policies[tool].enabled = [](const json&) -> result<bool> { return false; };
    });
  };
  const auto before = moves{enter(agent), collected, wishes({{"a"}, {"add", R"({"n":1})"}})};
  const strings waits = {"1.0 m.a", "1.1 m.add"};
  const auto stricter = std::function<event(const game&)>([](const game&) -> event {
    tool_list list;
    list.push_back({"a", "", json_schema()});
    list.push_back(
        {"add", "", json_schema::compile(json::parse(R"({"type":"object","required":["n","m"]})")).value()});
    return tools_collected{std::make_shared<const toolbox>(
        std::vector<tool_source>{{"srv", std::make_shared<const tool_list>(list)}},
        std::vector<handoff_target>{})};
  });
  const auto other_kind = std::function<event(const game&)>([](const game&) -> event {
    handoff_definition to("ops");
    to.tool_name = "a";
    return tools_collected{std::make_shared<const toolbox>(
        std::vector<tool_source>{},
        std::vector<handoff_target>{make_handoff_target(to, *make_agent("ops"))})};
  });
  check_paused({
      {"one that is gone is told to the model, approved or not",
       before,
       waits,
       {enter(without("a")), decide({approve("1.0"), approve("1.1")}), collected, tool_says(1, "2")},
       "collect tools(1) collect",
       "U:hello C:a C:add O:!Error: the tool 'a' is not available any more. O:2",
       "collecting"},
      {"undecided",
       before,
       waits,
       {enter(without("a")), decide({approve("1.1")}), collected, tool_says(1, "2")},
       "collect tools(1) collect",
       "U:hello C:a C:add O:!Error: the tool 'a' is not available any more. O:2",
       "collecting"},
      {"one that takes other arguments now gets none that do not fit",
       before,
       waits,
       {enter(agent), decide({reject("1.0"), approve("1.1")}), stricter},
       "collect collect",
       "U:hello C:a C:add O:!The call of 'a' was not approved. O:!Error: the arguments for 'add' break its "
       "schema: "
       "Missing required property 'm'.",
       "collecting"},
      {"a name that stands for something else now is not what was approved",
       before,
       waits,
       {enter(agent), decide({approve("1.0"), reject("1.1")}), other_kind},
       "collect collect",
       "U:hello C:a C:add O:!Error: the tool 'a' is not available any more. O:!The call of 'add' was not "
       "approved.",
       "collecting"},
      {"an agent that became a team cannot go on",
       before,
       waits,
       {enter(make_agent("m",
                         [](auto& a) {
                           a.kind = agent_kind::parallel;
                           a.members.members = {"x"};
                         })),
        resumed{{approve("1.0")}}},
       "finish",
       "U:hello C:a C:add O:!not finished: the agent 'm' is of another kind than when it paused O:!not "
       "finished: the "
       "agent 'm' is of another kind than when it paused",
       "invalid_config"},
  });
}

TEST_CASE("a handoff that waited and has gone meanwhile is told to the model") {
  const auto before = make_agent("m", [](auto& a) {
    careful(a);
    a.handoffs = {"ops"};
  });
  check_paused(
      {{"gone",
        {enter(before), collected, calls({"transfer_to_ops", "a"})},
        {"1.1 m.a"},
        {enter(agent), decide({reject("1.1")}), collected},
        "collect collect",
        "U:hello C:transfer_to_ops C:a O:!Error: the tool 'transfer_to_ops' is not available any more. "
        "O:!The call of 'a' was not approved.",
        "collecting"}});
}

TEST_CASE("a handoff that waited keeps its rules through JSON") {
  handoff_definition to("ops");
  to.filter.what = input_filter::kind::drop_tools;
  const auto from = make_agent("m", [&](auto& a) {
    careful(a);
    a.handoffs = {to};
  });
  auto played = play({enter(from), collected, calls({"transfer_to_ops", "a"})});
  keep(played.run);
  play_on(played, {enter(from), decide({reject("1.1")}), collected});
  REQUIRE(std::get<hand_off>(played.done.back()).rules);
  play_on(played, {enter(make_agent("ops")), collected});
  CHECK(story(last_request(played)) == "U:hello");
}

TEST_CASE("edited arguments are what the tool gets and what the conversation shows") {
  auto played = play({enter(agent), collected, wishes({{"add", R"({"n":1})"}})});
  play_on(played, {enter(agent), decide({approve_with("1.0", {{"n", 2}})}), collected});
  CHECK(*std::get<call_tools>(played.done.back()).calls.at(0).arguments == json{{"n", 2}});
  CHECK(std::get<tool_call>(played.run.fresh.at(1)).arguments == R"({"n":2})");
}

TEST_CASE("an approval is for the tool of one owner, whoever else offers its name") {
  const auto from = [](const char* owner) {
    return std::function<event(const game&)>([owner](const game&) -> event {
      const auto tools = std::make_shared<const tool_list>(tool_list{{"a", "", json_schema()}});
      return tools_collected{std::make_shared<const toolbox>(
          std::vector<tool_source>{{owner, tools, {true, {}}}}, std::vector<handoff_target>{})};
    });
  };
  const auto plain = make_agent("m");
  const auto paused = moves{enter(plain), from("one"), calls({"a"})};

  SECTION("a call that waited is not made elsewhere") {
    auto played = play(paused);
    keep(played.run);
    play_on(played, {enter(plain), decide({approve("1.0")}), from("two")});
    CHECK(story(played.run.fresh) == "U:hello C:a O:!Error: the tool 'a' is not available any more.");
  }
  SECTION("and what is approved for good is so at its owner") {
    auto played = play(paused);
    keep(played.run);
    play_on(played, {enter(plain), decide({approve_always("1.0")}), from("one"), tool_says(0, "x")});
    play_on(played, {from("one"), calls({"a"}), tool_says(0, "y")});
    CHECK(story(played.run.fresh) == "U:hello C:a O:x C:a O:y");
    play_on(played, {from("two"), calls({"a"})});
    CHECK(ending(played.run) == "paused");
  }
}
