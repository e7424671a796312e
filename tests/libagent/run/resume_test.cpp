#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;
using Catch::Matchers::Contains;

namespace {

/// Tools "a" and "add" need a yes, "b" and "c" do not.
const change careful = [](auto& a) {
  a.tool_policies["a"].approval.needed = true;
  a.tool_policies["add"].approval.needed = true;
};
const auto agent = make_agent("m", careful);
const auto caller = make_agent("caller", [](auto& a) {
  a.agent_tools = {{"helper", "", ""}};
  a.handoffs = {"ops"};
});
const auto helper = make_agent("helper", careful);
const wish ask_helper{"helper", R"({"input":"?"})"};

std::shared_ptr<const state> paused_by(const moves& all) {
  auto played = play(all);
  CHECK(ending(played.run) == "paused");
  return std::make_shared<const state>(std::move(played.run));
}

std::shared_ptr<const state> paused_helper() {
  return paused_by({enter(helper), collected, calls({"a", "a"})});
}

move pauses(std::size_t index, std::shared_ptr<const state> nested) {
  return call_paused{index, std::move(nested)};
}

std::vector<std::string> waiting(const state& run) {
  std::vector<std::string> all;
  for (const auto& each : interruptions(run))
    all.push_back(each.id + " " + each.agent + "." + each.tool);
  return all;
}
using strings = std::vector<std::string>;

struct paused_row {
  const char* situation;
  moves before;
  strings waits;
  moves after;
  std::string effects;
  std::string story;
  std::string ending;
  bool has_budget = false;
};

/// Each row as it is, and with the paused run kept as JSON meanwhile.
void check_paused(const std::vector<paused_row>& rows) {
  for (const auto& r : rows) {
    for (const bool is_kept : {false, true}) {
      INFO(r.situation << (is_kept ? ", kept as JSON" : ""));
      auto played = play(r.before, {}, nullptr, r.has_budget);
      CHECK(ending(played.run) == "paused");
      if (is_kept)
        keep(played.run);
      CHECK(waiting(played.run) == r.waits);
      played.effects.clear();
      play_on(played, r.after);
      CHECK(played.effects == r.effects);
      CHECK(story(played.run.fresh) == r.story);
      CHECK(ending(played.run) == r.ending);
      if (played.run.at == phase::finished)
        CHECK(flaw(played.run.fresh) == "");
    }
  }
}

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

TEST_CASE("edited arguments are what the tool gets; the conversation keeps the model's") {
  auto played = play({enter(agent), collected, wishes({{"add", R"({"n":1})"}})});
  play_on(played, {enter(agent), decide({approve_with("1.0", {{"n", 2}})}), collected});
  CHECK(*std::get<call_tools>(played.done.back()).calls.at(0).arguments == json{{"n", 2}});
  CHECK(std::get<tool_call>(played.run.fresh.at(1)).arguments == R"({"n":1})");
}

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

TEST_CASE("decisions are checked before a run goes on") {
  const auto run = play({enter(agent), collected, wishes({{"a"}, {"add", R"({"n":1})"}})}).run;
  struct {
    std::vector<decision> decisions;
    const char* part;
  } const rows[] = {
      {{}, "no decision is given"},
      {{approve("1.7")}, "does not wait for a decision on '1.7'"},
      {{approve("1.0/1.0")}, "'1.0/1.0'"},
      {{approve("")}, "''"},
      {{approve("1.0"), reject("1.0")}, "two decisions on '1.0'"},
      {{approve_with("1.1", json::array())}, "the arguments for '1.1' must be an object"},
      {{approve_with("1.1", {{"n", "x"}})}, "the arguments for '1.1' do not fit the tool 'add': n:"},
      {{approve("1.0"), approve("2.0")}, "'2.0'"},
  };
  for (const auto& r : rows) {
    const auto checked = check_decisions(run, r.decisions);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == errc::invalid_argument);
    CHECK_THAT(checked.error().detail, Contains(r.part));
  }
  CHECK(check_decisions(run, {approve_with("1.1", {{"n", 2}}), reject("1.0")}).has_value());
}

TEST_CASE("approval may depend on the call; a rule that cannot be tested asks") {
  const auto when = [](const condition& test) {
    return make_agent("m", [&](auto& a) { a.tool_policies["add"].approval = {true, test}; });
  };
  const auto large = when([](const json& scope) -> result<bool> {
    return scope.at("tool") == "add" && scope.at("agent") == "m" && scope.at("arguments").at("n") > 10;
  });
  const auto add = [](const char* n) { return wishes({{"add", std::string(R"({"n":)") + n + "}"}}); };
  const auto after = [&](const agent_ptr& who, const char* n) {
    return ending(play({enter(who), collected, add(n)}).run);
  };
  CHECK(after(large, "11") == "paused");
  CHECK(after(large, "10") == "acting");
  CHECK(after(when([](const json&) -> result<bool> { return fail(errc::malformed, "?"); }), "1") == "paused");
  CHECK(after(when([](const json&) -> result<bool> { throw std::runtime_error("boom"); }), "1") == "paused");
}

TEST_CASE("a server's rule holds beside the tool's own") {
  const auto plain = make_agent("m");
  const auto with_rule = std::function<event(const game&)>([](const game&) -> event {
    tool_source source{
        "srv", std::make_shared<const tool_list>(tool_list{{"a", "", json_schema()}}), {true, {}}};
    return tools_collected{
        std::make_shared<const toolbox>(std::vector<tool_source>{source}, std::vector<handoff_target>{})};
  });
  const auto played = play({enter(plain), with_rule, calls({"a"})});
  CHECK(ending(played.run) == "paused");
  const auto told = interruptions(played.run);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what == interruption::kind::tool);
  CHECK(*told[0].arguments == json::object());
}
