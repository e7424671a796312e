#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const auto plain = make_agent("plain");
const std::string unknown = "O:!Error: there is no tool 'nope'; available tools: a, b, c, add.";

const std::string misfit =
    "O:!Error: the arguments for 'add' break its schema: Missing required property 'n'.";

agent_ptr with_policy(const std::string& tool, const std::function<void(tool_policy&)>& set) {
  return make_agent("m", [&](auto& a) { set(a.tool_policies[tool]); });
}

agent_ptr stopping_at(std::vector<std::string> tools) {
  return make_agent("m", [&](auto& a) {
    a.tool_use_behavior = {tools.empty() ? stop_rule::kind::stop_on_first_tool
                                         : stop_rule::kind::stop_at_tools,
                           std::move(tools)};
    a.handoffs = {"ops"};
  });
}

limits cap(std::size_t most) {
  return {10, 1000, most};
}

} // namespace

TEST_CASE("calls of a turn run together, and their outputs stand in the order of the calls") {
  check_rows({
      {"answers in any order",
       {enter(plain), collected, calls({"a", "b", "c"}), tool_says(2, "z"), tool_says(0, "x"),
        tool_says(1, "y"), collected, says("done")},
       "collect model tools(0 1 2) collect model finish",
       "U:hello C:a C:b C:c O:x O:y O:z A:done",
       "ok:done"},
      {"a second answer to the same call is ignored",
       {enter(plain), collected, calls({"a", "b"}), tool_says(0, "x"), tool_says(0, "?"), tool_fails(0, "?"),
        tool_says(1, "y")},
       "collect model tools(0 1) collect",
       "U:hello C:a C:b O:x O:y",
       "collecting"},
      {"an answer to a call that was never made is ignored",
       {enter(plain), collected, tool_says(0, "?"), calls({"a"}), tool_says(7, "?"), tool_says(0, "x")},
       "collect model tools(0) collect",
       "U:hello C:a O:x",
       "collecting"},
      {"an unknown tool is the model's to mend",
       {enter(plain), collected, calls({"nope"}), collected, says("sorry")},
       "collect model collect model finish",
       "U:hello C:nope " + unknown + " A:sorry",
       "ok:sorry"},
      {"known ones beside it still run",
       {enter(plain), collected, calls({"nope", "a"}), tool_says(1, "x")},
       "collect model tools(1) collect",
       "U:hello C:nope C:a " + unknown + " O:x",
       "collecting"},
      {"arguments that do not fit reach no tool",
       {enter(plain), collected, wishes({{"add", "{}"}, {"add", R"({"n":2})"}}), tool_says(1, "3")},
       "collect model tools(1) collect",
       "U:hello C:add C:add " + misfit + " O:3",
       "collecting"},
      {"a tool's failure is told to the model",
       {enter(plain), collected, calls({"a"}), tool_fails(0, "broken"), collected, says("sorry")},
       "collect model tools(0) collect model finish",
       "U:hello C:a O:!broken A:sorry",
       "ok:sorry"},
      {"a tool that is not enabled is not there",
       {enter(
            with_policy("b", [](auto& p) { p.enabled = [](const json&) -> result<bool> { return false; }; })),
        collected, calls({"b"})},
       "collect model collect",
       "U:hello C:b O:!Error: there is no tool 'b'; available tools: a, c, add.",
       "collecting"},
  });
}

TEST_CASE("no more calls than the cap run at the same time") {
  check_rows({
      {"the next one starts when one is done",
       {enter(plain), collected, calls({"a", "b", "c", "a"}), tool_says(1, "2"), tool_says(2, "3"),
        tool_says(0, "1"), tool_says(3, "4")},
       "collect model tools(0 1) tools(2) tools(3) collect",
       "U:hello C:a C:b C:c C:a O:1 O:2 O:3 O:4",
       "collecting",
       cap(2)},
      {"a call whose output is being checked makes room",
       {enter(with_policy("*", [](auto& p) { p.output_guardrails = {"g"}; })), collected, calls({"a", "b"}),
        tool_says(0, "1")},
       "collect model tools(0) check(tool_output 0 g) tools(1)",
       "U:hello C:a C:b",
       "acting",
       cap(1)},
      {"what waits when the run is stopped never starts",
       {enter(plain), collected, calls({"a", "b"}), stop(), tool_says(0, "1")},
       "collect model tools(0) finish",
       "U:hello C:a C:b O:!not finished: by the user O:!not finished: by the user",
       "cancelled",
       cap(1)},
      {"a cap of none is a cap of one",
       {enter(plain), collected, calls({"a", "b"}), tool_says(0, "1"), tool_says(1, "2")},
       "collect model tools(0) tools(1) collect",
       "U:hello C:a C:b O:1 O:2",
       "collecting",
       cap(0)},
  });
}

TEST_CASE("a tool whose failure ends the run does so once all calls are done") {
  const auto strict = with_policy("*", [](auto& p) { p.fails_run = true; });
  check_rows({
      {"the others finish first",
       {enter(strict), collected, calls({"a", "b"}), tool_fails(0, "broken"), tool_says(1, "x")},
       "collect model tools(0 1) finish",
       "U:hello C:a C:b O:!broken O:x",
       "tool_failed"},
      {"those that had not started too",
       {enter(strict), collected, calls({"a", "b"}), tool_fails(0, "broken"), tool_says(1, "x")},
       "collect model tools(0) tools(1) finish",
       "U:hello C:a C:b O:!broken O:x",
       "tool_failed",
       cap(1)},
      {"it wins over a handoff and over an approval",
       {enter(make_agent("m",
                         [](auto& a) {
                           a.handoffs = {"ops"};
                           a.tool_policies["a"].fails_run = true;
                           a.tool_policies["b"].approval.needed = true;
                         })),
        collected, calls({"a", "b", "transfer_to_ops"}), tool_fails(0, "broken")},
       "collect model tools(0) finish",
       "U:hello C:a C:b C:transfer_to_ops O:!broken O:!not finished: the tool 'a' failed: broken "
       "O:{\"assistant\":\"ops\"}",
       "tool_failed"},
      {"arguments that do not fit are still the model's to mend",
       {enter(strict), collected, wishes({{"add", "{}"}})},
       "collect model collect",
       "U:hello C:add " + misfit,
       "collecting"},
      {"so is a call that a guardrail rejects",
       {enter(with_policy("*",
                          [](auto& p) {
                            p.fails_run = true;
                            p.output_guardrails = {"g"};
                          })),
        collected, calls({"a"}), tool_says(0, "x"), rejects("g", "not this")},
       "collect model tools(0) check(tool_output 0 g) collect",
       "U:hello C:a O:!not this",
       "collecting"},
  });
}

TEST_CASE("of several fatal failures the first by the order of calls wins, whichever came first") {
  const auto caller = make_agent("m", [](auto& a) { a.agent_tools = {{"x", "", ""}, {"y", "", ""}}; });
  for (const auto& order : {std::pair{0, 1}, std::pair{1, 0}}) {
    const auto code = [](int index) { return index == 0 ? errc::budget_exceeded : errc::cancelled; };
    const auto played =
        play({enter(caller), collected, wishes({{"x", R"({"input":"?"})"}, {"y", R"({"input":"?"})"}, {"a"}}),
              agent_fails(static_cast<std::size_t>(order.first), code(order.first)),
              agent_fails(static_cast<std::size_t>(order.second), code(order.second)), tool_says(2, "x")});
    CHECK(played.effects == "collect model tools(0 1 2) finish");
    CHECK(ending(played.run) == "budget_exceeded");
    CHECK(story(played.run.fresh) == "U:hello C:x C:y C:a O:!it failed O:!it failed O:x");
  }
}

TEST_CASE("a failure that ends the run does not tell what a guardrail kept from the model") {
  const auto agent = with_policy("*", [](auto& p) {
    p.fails_run = true;
    p.output_guardrails = {"g"};
  });
  const auto failed = moves{enter(agent), collected, calls({"a"}), tool_fails(0, "secret")};
  struct {
    move verdict;
    const char* detail;
  } const rows[] = {{passes("g"), "the tool 'a' failed: secret"},
                    {rewrites("g", "[masked]"), "the tool 'a' failed: [masked]"},
                    {rejects("g", "not this"), "the tool 'a' failed: not this"}};
  for (const auto& r : rows) {
    auto played = play(failed);
    play_on(played, {r.verdict});
    CHECK(ending(played.run) == "tool_failed");
    REQUIRE(played.run.failure);
    CHECK(played.run.failure->detail == r.detail);
  }
}

TEST_CASE("tool guardrails: the agent's own first, then the tool's") {
  const auto input = make_agent("m", [](auto& a) {
    a.tool_input_guardrails = {{"general"}};
    a.tool_policies["add"].input_guardrails = {"own"};
  });
  const auto output = make_agent("m", [](auto& a) {
    a.tool_output_guardrails = {{"general"}};
    a.tool_policies["a"].output_guardrails = {"own"};
  });
  const auto add = wishes({{"add", R"({"n":1})"}});
  check_rows({
      {"arguments pass both",
       {enter(input), collected, add, passes("general"), passes("own"), tool_says(0, "x")},
       "collect model check(tool_input 0 general) check(tool_input 0 own) tools(0) collect",
       "U:hello C:add O:x",
       "collecting"},
      {"calls do not wait for each other's guardrails",
       {enter(input), collected, wishes({{"a"}, {"b"}}), passes("general")},
       "collect model check(tool_input 0 general) check(tool_input 1 general) tools(1)",
       "U:hello C:a C:b",
       "acting"},
      {"a rejection is told to the model, and the tool does not run",
       {enter(input), collected, add, rejects("general", "never add")},
       "collect model check(tool_input 0 general) collect",
       "U:hello C:add O:!never add",
       "collecting"},
      {"rewritten arguments that do not fit do not run",
       {enter(input), collected, add, rewrites("general", R"({"n":"1"})")},
       "collect model check(tool_input 0 general) collect",
       "U:hello C:add O:!Error: a guardrail left arguments that do not fit the tool.",
       "collecting"},
      {"nor what is not JSON",
       {enter(input), collected, add, rewrites("general", "[masked")},
       "collect model check(tool_input 0 general) collect",
       "U:hello C:add O:!Error: a guardrail left arguments that do not fit the tool.",
       "collecting"},
      {"a trip ends the run, and the calls have outputs that say so",
       {enter(input), collected, wishes({{"a"}, {"b"}}), trips("general", "no")},
       "collect model check(tool_input 0 general) check(tool_input 1 general) finish",
       "U:hello C:a C:b O:!not finished: the guardrail 'general' stopped the run at its tool_input: no "
       "O:!not finished: the guardrail 'general' stopped the run at its tool_input: no",
       "guardrail_tripped"},
      {"an output passes both, each seeing what the one before left",
       {enter(output), collected, calls({"a"}), tool_says(0, "x"), rewrites("general", "y"),
        rewrites("own", "z")},
       "collect model tools(0) check(tool_output 0 general) check(tool_output 0 own) collect",
       "U:hello C:a O:z",
       "collecting"},
      {"a rejected output is not told",
       {enter(output), collected, calls({"b"}), tool_says(0, "x"), rejects("general", "not this")},
       "collect model tools(0) check(tool_output 0 general) collect",
       "U:hello C:b O:!not this",
       "collecting"},
      {"an output that trips is not kept, those that were done are",
       {enter(output), collected, calls({"b", "b"}), tool_says(0, "x"), passes("general"),
        tool_says(1, "secret"), trips("general", "no")},
       "collect model tools(0 1) check(tool_output 0 general) check(tool_output 1 general) finish",
       "U:hello C:b C:b O:x O:!not finished: the guardrail 'general' stopped the run at its tool_output: no",
       "guardrail_tripped"},
      {"nor is one that was not judged when the run was stopped",
       {enter(output), collected, calls({"b"}), tool_says(0, "secret"), stop(), passes("general")},
       "collect model tools(0) check(tool_output 0 general) finish",
       "U:hello C:b O:!not finished: by the user",
       "cancelled"},
      {"what never ran is not judged",
       {enter(output), collected, calls({"nope"})},
       "collect model collect",
       "U:hello C:nope " + unknown,
       "collecting"},
      {"one that cannot judge ends the run",
       {enter(input), collected, calls({"a"}), fails_to_judge("general"), passes("general")},
       "collect model check(tool_input 0 general) finish",
       "U:hello C:a O:!not finished: no judge",
       "model_timeout"},
  });
}

TEST_CASE("a guardrail sees arguments as JSON, and the tool gets what it left") {
  const auto agent = make_agent("m", [](auto& a) { a.tool_input_guardrails = {{"g"}}; });
  const auto played =
      play({enter(agent), collected, wishes({{"add", R"({ "n" : 1 })"}}), rewrites("g", R"({"n":2})")});
  const auto& asked = std::get<check>(played.done.at(2));
  CHECK(asked.text == R"({"n":1})");
  CHECK(asked.tool == "add");
  CHECK(*std::get<call_tools>(played.done.at(3)).calls.at(0).arguments == json{{"n", 2}});
  CHECK(std::get<tool_call>(played.run.fresh.at(1)).arguments == R"({ "n" : 1 })");
}

TEST_CASE("stop rules make a tool's output the run's, after all tools of the turn have run") {
  check_rows({
      {"the first by the order of calls",
       {enter(stopping_at({})), collected, calls({"a", "b"}), tool_says(1, "y"), tool_says(0, "x")},
       "collect model tools(0 1) finish",
       "U:hello C:a C:b O:x O:y",
       "ok:x"},
      {"one of the tools named",
       {enter(stopping_at({"b", "c"})), collected, calls({"a", "b", "c"}), tool_says(0, "x"),
        tool_says(1, "y"), tool_says(2, "z")},
       "collect model tools(0 1 2) finish",
       "U:hello C:a C:b C:c O:x O:y O:z",
       "ok:y"},
      {"none of the tools named: the model goes on",
       {enter(stopping_at({"b"})), collected, calls({"a"}), tool_says(0, "x")},
       "collect model tools(0) collect",
       "U:hello C:a O:x",
       "collecting"},
      {"a handoff wins",
       {enter(stopping_at({})), collected, calls({"a", "transfer_to_ops"}), tool_says(0, "x")},
       "collect model tools(0) handoff(ops)",
       "U:hello C:a C:transfer_to_ops O:x O:{\"assistant\":\"ops\"}",
       "handing_off"},
      {"what reached no tool is no tool's output",
       {enter(stopping_at({})), collected, wishes({{"add", "{}"}})},
       "collect model collect",
       "U:hello C:add " + misfit,
       "collecting"},
      {"the failure of a tool is its output",
       {enter(stopping_at({})), collected, calls({"a"}), tool_fails(0, "broken")},
       "collect model tools(0) finish",
       "U:hello C:a O:!broken",
       "ok:broken"},
  });
}

TEST_CASE("once an agent has used a tool its tool choice holds no more, unless it says so") {
  struct {
    const char* situation;
    std::optional<std::string> choice;
    bool reset;
    moves between;
    std::optional<std::string> expected;
  } const rows[] = {
      {"nothing used", "required", true, {}, "required"},
      {"a tool used", "required", true, {calls({"a"}), tool_says(0, "x"), collected}, {}},
      {"a tool used, not to be reset", "a", false, {calls({"a"}), tool_says(0, "x"), collected}, "a"},
      {"none stays none", "none", true, {calls({"a"}), tool_says(0, "x"), collected}, "none"},
      {"another agent's use does not count",
       "required",
       true,
       {calls({"transfer_to_ops"}), enter(make_agent("ops", [](auto& a) { a.settings.tool_choice = "a"; })),
        collected},
       "a"},
  };
  for (const auto& r : rows) {
    INFO(r.situation);
    const auto agent = make_agent("m", [&](auto& a) {
      a.settings.tool_choice = r.choice;
      a.reset_tool_choice = r.reset;
      a.handoffs = {"ops"};
    });
    auto played = play({enter(agent), collected});
    play_on(played, r.between);
    CHECK(std::get<call_model>(played.done.back()).request->settings.tool_choice == r.expected);
  }
}

TEST_CASE("a call id that comes again means the same call or a broken model") {
  check_rows({
      {"the same call in a later turn is not run again, and the conversation has it once",
       {enter(plain), collected, wishes({{"a", R"({"x":1,"y":2})", "1"}}), tool_says(0, "x"), collected,
        wishes({{"a", R"({"y":2, "x":1})", "1"}}), collected, says("done")},
       "collect model tools(0) collect model collect model finish",
       "U:hello C:a O:x A:done",
       "ok:done"},
      {"the same call twice in one turn",
       {enter(plain), collected, wishes({{"a", "{}", "1"}, {"b", "{}", "2"}, {"a", "{}", "1"}}),
        tool_says(0, "x"), tool_says(1, "y")},
       "collect model tools(0 1) collect",
       "U:hello C:a C:b O:x O:y",
       "collecting"},
      {"arguments that are no JSON are the same if they are the same text",
       {enter(plain), collected, wishes({{"nope", "{", "1"}, {"nope", "{", "1"}})},
       "collect model collect",
       "U:hello C:nope " + unknown,
       "collecting"},
      {"another payload",
       {enter(plain), collected, wishes({{"a", "{}", "1"}}), tool_says(0, "x"), collected,
        wishes({{"b", "{}", "2"}, {"a", R"({"x":1})", "1"}, {"c", "{}", "3"}})},
       "collect model tools(0) collect model finish",
       "U:hello C:a O:x C:b O:!not finished: the model used the call id '1' for two different calls",
       "protocol_violation"},
      {"another tool, in one turn",
       {enter(plain), collected, wishes({{"a", "{}", "1"}, {"b", "{}", "1"}})},
       "collect model finish",
       "U:hello C:a O:!not finished: the model used the call id '1' for two different calls",
       "protocol_violation"},
  });
}

TEST_CASE("an id that an earlier run used is free") {
  const auto past = std::make_shared<const item_list>(
      item_list{tool_call{"1", "a", "{}", "plain"}, tool_output{"1", {text_content{"old"}}, false}});
  const auto played =
      play({enter(plain), collected, wishes({{"b", "{}", "1"}}), tool_says(0, "x")}, {}, past);
  CHECK(story(played.run.fresh) == "U:hello C:b O:x");
}

TEST_CASE("calls without an id get one that the conversation does not have") {
  const auto call = [](const char* id, const char* name) { return tool_call{id, name, "{}", ""}; };
  const auto output = [](const char* id) { return tool_output{id, {}, false}; };
  const auto past = std::make_shared<const item_list>(
      item_list{call("call_0", "a"), output("call_0"), call("call_3", "a"), output("call_3")});
  const auto played =
      play({enter(plain), collected, answers({call("", "a"), call("call_2", "b"), call("", "a")}),
            tool_says(0, "x"), tool_says(1, "y"), tool_says(2, "z"), collected, answers({call("", "c")})},
           {}, past);
  std::vector<std::string> ids;
  for (const auto& entry : played.run.fresh)
    if (const auto* made = std::get_if<tool_call>(&entry))
      ids.push_back(made->call_id);
  CHECK(ids == std::vector<std::string>{"call_1", "call_2", "call_4", "call_5"});
  CHECK(std::get<call_tools>(played.done.at(2)).calls.at(2).call_id == "call_4");
}

TEST_CASE("a tool is asked for by its owner's name, with the agent's timeout") {
  const auto agent = with_policy("b", [](auto& p) { p.timeout = std::chrono::milliseconds(5); });
  const auto played = play({enter(agent), collected, calls({"b", "a"})});
  const auto& asked = std::get<call_tools>(played.done.back()).calls;
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].name == "b");
  CHECK(asked[0].source == 0);
  CHECK(asked[0].call_id == "c1_0");
  CHECK(asked[0].timeout == std::chrono::milliseconds(5));
  CHECK_FALSE(asked[1].timeout.has_value());
}

TEST_CASE("a tool's output is bounded, and what an agent spent counts for its caller") {
  auto answer = tool_answered{0, tool_result::text("123456")};
  answer.used.add("x", "m", {2, 20, 10, 0, 0});
  const auto played = play({enter(plain), collected, calls({"a"}), answer}, {10, 5, 16});
  CHECK(story(played.run.fresh) == "U:hello C:a O:12345\n[cut: 5 of 6 bytes shown]");
  CHECK(played.run.used.total() == usage{3, 30, 15, 0, 0});
}
