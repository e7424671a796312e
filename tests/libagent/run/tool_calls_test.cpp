#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

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
       "U:hello C:a C:b O:!not finished, and it may or may not have been carried out: by the user "
       "O:!not finished: by the user",
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
  CHECK(played.run.used.total() == usage{3, 30, 15, 0, 0, 1});
}

TEST_CASE("each call is reported once it has its result, but for the handoff that follows") {
  const auto agent = make_agent("m", [](auto& a) {
    a.handoffs = {"ops"};
    a.tool_output_guardrails = {{"mask"}};
  });
  const auto reports = [&](const moves& then) {
    auto all = moves{enter(agent), collected};
    all.insert(all.end(), then.begin(), then.end());
    return play(all).reports;
  };
  const auto unknown = "Error: there is no tool 'nope'; available tools: a, b, c, add, transfer_to_ops.";
  CHECK(reports({calls({"a", "nope"}), tool_says(0, "secret")}) == fmt::format("c1_1:-!{}", unknown));
  CHECK(reports({calls({"a", "nope"}), tool_says(0, "secret"), rewrites("mask", "*")}) ==
        fmt::format("c1_1:-!{} c1_0:*", unknown));
  CHECK(reports({calls({"a"}), tool_fails(0, "broken"), passes("mask")}) == "c1_0:!broken");
  CHECK(reports({calls({"transfer_to_ops"})}) == "");
  CHECK(reports({calls({"transfer_to_ops", "transfer_to_ops"})}) ==
        "c1_1:-!Not carried out: this turn already hands off to 'ops'.");
}

TEST_CASE("a turn is not over before its calls are reported") {
  auto played = play({enter(make_agent("m")), collected, calls({"a"})});
  const auto told = step(played.run, tool_answered{0, tool_result::text("x")});
  REQUIRE(told.size() == 1);
  CHECK(std::get<report_call>(told.front()).output == "x");
  CHECK(ending(played.run) == "acting");
  CHECK(step(played.run, call_reported{1}).empty());
  CHECK(describe(step(played.run, call_reported{0}).at(0)) == "collect");
  CHECK(step(played.run, call_reported{0}).empty());
}
