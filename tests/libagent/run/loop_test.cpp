#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const auto plain = make_agent("plain");
const auto with_budget = true;

} // namespace

TEST_CASE("the loop goes on as its rules say") {
  check_rows({
      {"a message is the final output",
       {enter(plain), collected, says("hi")},
       "collect model finish",
       "U:hello A:hi",
       "ok:hi"},
      {"an empty message is an empty output",
       {enter(plain), collected, says("")},
       "collect model finish",
       "U:hello A:",
       "ok:"},
      {"no output at all is an empty output",
       {enter(plain), collected, answers({})},
       "collect model finish",
       "U:hello",
       "ok:"},
      {"of several messages the last is the output, and all stay in order",
       {enter(plain), collected,
        answers(
            {assistant_message{"", "one"}, reasoning{"", "hm", "f", "{}"}, assistant_message{"", "two"}})},
       "collect model finish",
       "U:hello A:one R:hm A:two",
       "ok:two"},
      {"a message beside tool calls is not final",
       {enter(plain), collected, answers({assistant_message{"", "wait"}, tool_call{"1", "a", "{}", ""}}),
        tool_says(0, "x"), collected, says("done")},
       "collect model tools(0) collect model finish",
       "U:hello A:wait C:a O:x A:done",
       "ok:done"},
      {"an empty message beside tool calls is nothing",
       {enter(plain), collected, answers({assistant_message{"", ""}, tool_call{"1", "a", "{}", ""}})},
       "collect model tools(0)",
       "U:hello C:a",
       "acting"},
      {"what a model cannot say is left out",
       {enter(plain), collected,
        answers({user_message{"me?"}, tool_output{"x", {}, false}, assistant_message{"", "hi"}})},
       "collect model finish",
       "U:hello A:hi",
       "ok:hi"},
      {"a model's failure ends the run",
       {enter(plain), collected, model_fails()},
       "collect model finish",
       "U:hello",
       "model_failed"},
      {"the turn limit ends the run before the model is asked once more",
       {enter(plain), collected, calls({"nope"}), collected, calls({"nope"})},
       "collect model collect model finish",
       "U:hello C:nope O:!Error: there is no tool 'nope'; available tools: a, b, c, add. "
       "C:nope O:!Error: there is no tool 'nope'; available tools: a, b, c, add.",
       "max_turns_exceeded",
       {2, 1000, 16}},
      {"a limit of no turns asks no model",
       {enter(plain)},
       "finish",
       "U:hello",
       "max_turns_exceeded",
       {0, 1000, 16}},
  });
}

TEST_CASE("a stop ends the run where it is") {
  check_rows({
      {"before it began", {stop(), enter(plain)}, "finish", "U:hello", "cancelled"},
      {"while tools are collected",
       {enter(plain), stop(), collected},
       "collect finish",
       "U:hello",
       "cancelled"},
      {"while the model thinks: its answer comes too late",
       {enter(plain), collected, stop(errc::deadline_exceeded), says("late")},
       "collect model finish",
       "U:hello",
       "deadline_exceeded"},
      {"while tools run: open calls get an output that says so",
       {enter(plain), collected, calls({"a", "b"}), tool_says(1, "x"), stop(), tool_says(0, "late")},
       "collect model tools(0 1) finish",
       "U:hello C:a C:b O:!not finished, and it may or may not have been carried out: by the user O:x",
       "cancelled"},
      {"the first stop counts",
       {enter(plain), stop(), stop(errc::internal)},
       "collect finish",
       "U:hello",
       "cancelled"},
  });
}

TEST_CASE("a stop after the turn lets the turn end") {
  check_rows({
      {"before the first turn", {stop_after(), enter(plain)}, "finish", "U:hello", "cancelled"},
      {"a final message is still the output",
       {enter(plain), collected, stop_after(), says("hi")},
       "collect model finish",
       "U:hello A:hi",
       "ok:hi"},
      {"tools still run, and the model is not asked again",
       {enter(plain), collected, stop_after(), calls({"a"}), tool_says(0, "x")},
       "collect model tools(0) finish",
       "U:hello C:a O:x",
       "cancelled"},
      {"nothing is handed off any more",
       {enter(make_agent("m", [](auto& a) { a.handoffs = {"ops"}; })), collected, stop_after(),
        calls({"transfer_to_ops"})},
       "collect model finish",
       "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"}",
       "cancelled"},
      {"on the way to the next agent",
       {enter(make_agent("m", [](auto& a) { a.handoffs = {"ops"}; })), collected, calls({"transfer_to_ops"}),
        stop_after(), enter(plain)},
       "collect model handoff(ops) finish",
       "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"}",
       "cancelled"},
      {"it does not wait for an approval either",
       {enter(make_agent("m", [](auto& a) { a.tool_policies["a"].approval.needed = true; })), collected,
        stop_after(), calls({"a"})},
       "collect model finish",
       "U:hello C:a O:!not finished: by the user",
       "cancelled"},
  });
}

TEST_CASE("a run with a budget asks it before each call") {
  check_rows({
      {"before the model and before tools",
       {enter(plain), collected, reserved{}, calls({"a", "b"}), reserved{}, tool_says(0, "x"),
        tool_says(1, "y"), collected, reserved{}, says("hi")},
       "collect reserve(model) model reserve(2 tools) tools(0 1) collect reserve(model) model finish",
       "U:hello C:a C:b O:x O:y A:hi",
       "ok:hi",
       {},
       with_budget},
      {"a refused model call ends the run",
       {enter(plain), collected, refuse()},
       "collect reserve(model) finish",
       "U:hello",
       "budget_exceeded",
       {},
       with_budget},
      {"refused tool calls end the run, and none of them runs",
       {enter(plain), collected, reserved{}, calls({"a", "nope"}), refuse(), tool_says(0, "x")},
       "collect reserve(model) model reserve(1 tools) finish",
       "U:hello C:a C:nope O:!not finished: nothing is left O:!Error: there is no tool 'nope'; available "
       "tools: a, b, "
       "c, add.",
       "budget_exceeded",
       {},
       with_budget},
      {"calls that cannot run are not asked for",
       {enter(plain), collected, reserved{}, calls({"nope"})},
       "collect reserve(model) model collect",
       "U:hello C:nope O:!Error: there is no tool 'nope'; available tools: a, b, c, add.",
       "collecting",
       {},
       with_budget},
      {"an answer that nobody asked for is ignored",
       {reserved{}, refuse(), enter(plain), reserved{}, refuse(), collected, reserved{}, reserved{}, refuse(),
        says("hi")},
       "collect reserve(model) model finish",
       "U:hello A:hi",
       "ok:hi",
       {},
       with_budget},
  });
}

TEST_CASE("the budget bounds what a model may answer, but never lifts the agent's own bound") {
  struct {
    std::optional<unsigned> own;
    std::optional<std::uint64_t> given;
    std::optional<unsigned> expected;
  } const rows[] = {{{}, {}, {}},  {100, {}, 100},  {{}, 50, 50},
                    {100, 50, 50}, {100, 200, 100}, {{}, std::uint64_t(1) << 40, 1u << 30}};
  for (const auto& r : rows) {
    const auto agent = make_agent("m", [&](auto& a) { a.settings.max_tokens = r.own; });
    const auto played = play({enter(agent), collected, reserved{r.given}}, {}, nullptr, with_budget);
    CHECK(std::get<call_model>(played.done.back()).request->settings.max_tokens == r.expected);
  }
}

TEST_CASE("a model call gets the history, the agent's instructions and the tools of the turn") {
  const auto past = std::make_shared<const item_list>(item_list{user_message{"before"}});
  const auto played = play({enter(plain), collected}, {}, past);
  const auto& request = *std::get<call_model>(played.done.back()).request;
  CHECK(request.past == past);
  CHECK(request.fresh == item_list{user_message{"hello"}});
  CHECK(request.instructions == "be plain");
  CHECK(request.agent == "plain");
  CHECK(request.tools->size() == 4);
}

TEST_CASE("instructions may depend on the run's context and input") {
  const auto agent = make_agent("m", [](auto& a) {
    a.instructions_source = [](const json& scope) -> result<std::string> { return dump_json(scope); };
  });
  game played{begin(nullptr, "hello", {}, std::make_shared<const json>(json{{"user", "Ann"}})), {}, {}};
  play_on(played, {enter(agent), collected});
  CHECK(std::get<call_model>(played.done.back()).request->instructions ==
        R"({"agent":"m","context":{"user":"Ann"},"input":"hello"})");
}

TEST_CASE("items carry the agent that made them, and usage is kept by agent and model") {
  const auto first = make_agent("first", [](auto& a) { a.handoffs = {"ops"}; });
  const auto played =
      play({enter(first), collected, calls({"transfer_to_ops"}), enter(make_agent("ops")), collected,
            answers({reasoning{"", "hm", "f", "{}"}, assistant_message{"", "hi"}})});
  CHECK(std::get<tool_call>(played.run.fresh[1]).agent == "first");
  CHECK(std::get<reasoning>(played.run.fresh[3]).agent == "ops");
  CHECK(std::get<assistant_message>(played.run.fresh[4]).agent == "ops");
  CHECK(played.run.used.shares() ==
        std::vector<usage_share>{{"first", "m", {1, 10, 5, 0, 0}}, {"ops", "m", {1, 10, 5, 0, 0}}});
}

TEST_CASE("handing off in circles is bounded by the turn limit") {
  const auto circular = make_agent("m", [](auto& a) { a.handoffs = {"m"}; });
  moves all = {enter(circular)};
  for (int i = 0; i < 20; ++i)
    for (const auto& each : {collected, calls({"transfer_to_m"}), enter(circular)})
      all.push_back(each);
  const auto played = play(all);
  CHECK(played.run.turns == 10);
  CHECK(ending(played.run) == "max_turns_exceeded");
}

TEST_CASE("code that throws fails the run with what it threw") {
  const auto boom = [](const json&) -> result<bool> { throw std::runtime_error("boom"); };
  const auto no = [](const json&) -> result<bool> { return fail(errc::invalid_argument, "no such name"); };
  struct {
    const char* situation;
    change with;
    moves events;
    errc code;
    const char* detail;
  } const rows[] = {
      {"instructions",
       [](auto& a) {
         a.instructions_source = [](const json&) -> result<std::string> { throw std::runtime_error("boom"); };
       },
       {},
       errc::internal,
       "the instructions of 'm' cannot be made: an exception: boom"},
      {"what is no exception",
       [](auto& a) { a.instructions_source = [](const json&) -> result<std::string> { throw 7; }; },
       {},
       errc::internal,
       "the instructions of 'm' cannot be made: an exception of unknown type"},
      {"an error is the agent file's",
       [](auto& a) {
         a.instructions_source = [](const json&) -> result<std::string> {
           return fail(errc::malformed, "no end");
         };
       },
       {},
       errc::invalid_config,
       "the instructions of 'm' cannot be made: no end"},
      {"whether a tool is enabled",
       [&](auto& a) { a.tool_policies["b"].enabled = boom; },
       {},
       errc::internal,
       "whether 'b' is enabled cannot be told: an exception: boom"},
      {"whether a tool is enabled, as an error",
       [&](auto& a) { a.tool_policies["b"].enabled = no; },
       {},
       errc::invalid_config,
       "whether 'b' is enabled cannot be told: no such name"},
      {"a handoff's filter",
       [](auto& a) {
         handoff_definition to("ops");
         to.filter.what = input_filter::kind::code;
         to.filter.code = [](const item_list&) -> item_list { throw std::runtime_error("boom"); };
         a.handoffs = {to};
       },
       {calls({"transfer_to_ops"})},
       errc::internal,
       "what 'ops' may see of the conversation cannot be told: an exception: boom"},
  };
  for (const auto& r : rows) {
    INFO(r.situation);
    auto all = moves{enter(make_agent("m", r.with)), collected};
    all.insert(all.end(), r.events.begin(), r.events.end());
    const auto played = play(all);
    REQUIRE(played.run.failure);
    CHECK(played.run.failure->code == r.code);
    CHECK(played.run.failure->detail == r.detail);
    CHECK(flaw(played.run.fresh) == "");
  }
}
