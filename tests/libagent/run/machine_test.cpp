#include "libagent/run/machine.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;

namespace {

std::shared_ptr<const agent_definition> agent_named(const char* name) {
  auto agent = std::make_shared<agent_definition>();
  agent->name = name;
  agent->instructions = std::string("be ") + name;
  return agent;
}

toolbox_ptr some_tools() {
  auto list = std::make_shared<tool_list>();
  list->push_back({"a", "", json_schema()});
  list->push_back({"b", "", json_schema()});
  return std::make_shared<const toolbox>(
      std::vector<tool_source>{{"srv", list}},
      std::vector<handoff_target>{make_handoff_target(*agent_named("ops")),
                                  make_handoff_target(*agent_named("hr"))});
}

event says(const char* text) {
  model_response response;
  response.output = {assistant_message{"", text}};
  response.used = {1, 10, 5, 0, 0};
  return model_answered{response};
}

event calls(std::initializer_list<const char*> names) {
  model_response response;
  response.used = {1, 10, 5, 0, 0};
  int n = 0;
  for (const auto* name : names)
    response.output.push_back(tool_call{"c" + std::to_string(n++), name, "{}", ""});
  return model_answered{response};
}

event tool_says(std::size_t index, const char* text) {
  return tool_answered{index, tool_result::text(text)};
}

const char* name_of(const effect& what) {
  const char* names[] = {"collect", "model", "tools", "handoff", "finish"};
  return names[what.index()];
}

/// Feeds all events to a new run and writes down the effects, e.g. "collect model finish".
struct played {
  state run;
  std::string effects;
};

played play(std::vector<event> events, limits bounds = {}) {
  played game{begin(nullptr, "hello", bounds), ""};
  for (auto& what : events)
    for (const auto& done : step(game.run, std::move(what)))
      game.effects += (game.effects.empty() ? "" : " ") + std::string(name_of(done));
  return game;
}

/// The items that the run added, in short: "U:hello C:a O:x A:done".
std::string story(const state& run) {
  std::string text;
  for (const auto& entry : run.fresh) {
    if (!text.empty())
      text += ' ';
    if (const auto* user = std::get_if<user_message>(&entry))
      text += "U:" + user->text;
    else if (const auto* said = std::get_if<assistant_message>(&entry))
      text += "A:" + said->text;
    else if (const auto* call = std::get_if<tool_call>(&entry))
      text += "C:" + call->name;
    else
      text += "O:" + plain_text(std::get<tool_output>(entry).parts);
  }
  return text;
}

const event enter = entered_agent{agent_named("triage")};
const event collected = tools_collected{some_tools()};

struct row {
  const char* situation;
  std::vector<event> events;
  const char* effects;
  const char* story;
  const char* output;
};

} // namespace

TEST_CASE("the loop goes on as its rules say") {
  const row rows[] = {
      {"a message is the final output",
       {enter, collected, says("hi")},
       "collect model finish",
       "U:hello A:hi",
       "hi"},
      {"an empty message is an empty output",
       {enter, collected, says("")},
       "collect model finish",
       "U:hello",
       ""},
      {"no output at all is an empty output",
       {enter, collected, model_answered{}},
       "collect model finish",
       "U:hello",
       ""},
      {"a tool's output goes back to the model",
       {enter, collected, calls({"a"}), tool_says(0, "x"), collected, says("done")},
       "collect model tools collect model finish",
       "U:hello C:a O:x A:done",
       "done"},
      {"outputs stand in the model's order, whatever finishes first",
       {enter, collected, calls({"a", "b"}), tool_says(1, "second"), tool_says(0, "first"), collected,
        says("done")},
       "collect model tools collect model finish",
       "U:hello C:a C:b O:first O:second A:done",
       "done"},
      {"an output that comes twice counts once",
       {enter, collected, calls({"a", "b"}), tool_says(0, "x"), tool_says(0, "y"), tool_says(1, "z"),
        collected, says("done")},
       "collect model tools collect model finish",
       "U:hello C:a C:b O:x O:z A:done",
       "done"},
      {"an output for a call that was never made is ignored",
       {enter, collected, calls({"a"}), tool_says(7, "?"), tool_says(0, "x"), collected, says("done")},
       "collect model tools collect model finish",
       "U:hello C:a O:x A:done",
       "done"},
      {"an unknown tool is the model's to correct",
       {enter, collected, calls({"zzz"}), collected, says("sorry")},
       "collect model collect model finish",
       "U:hello C:zzz O:Error: there is no tool 'zzz'; available tools: a, b, transfer_to_ops, "
       "transfer_to_hr. A:sorry",
       "sorry"},
      {"a handoff moves the run to the next agent",
       {enter, collected, calls({"transfer_to_ops"}), entered_agent{agent_named("ops")}, collected,
        says("ops here")},
       "collect model handoff collect model finish",
       "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"} A:ops here",
       "ops here"},
      {"of two handoffs the first wins",
       {enter, collected, calls({"transfer_to_hr", "transfer_to_ops"})},
       "collect model handoff",
       "U:hello C:transfer_to_hr C:transfer_to_ops O:{\"assistant\":\"hr\"} "
       "O:Not carried out: this turn already hands off to 'hr'.",
       ""},
      {"tools beside a handoff still run, and the handoff comes after them",
       {enter, collected, calls({"a", "transfer_to_ops"}), tool_says(0, "x")},
       "collect model tools handoff",
       "U:hello C:a C:transfer_to_ops O:x O:{\"assistant\":\"ops\"}",
       ""},
      {"a model failure ends the run",
       {enter, collected, model_failed{{}}},
       "collect model finish",
       "U:hello",
       ""},
      {"a late model answer after a stop is ignored",
       {enter, collected, stopped{{errc::cancelled, "by the user"}}, says("late")},
       "collect model finish",
       "U:hello",
       ""},
      {"a stop gives open calls an output, so that the history stays well-formed",
       {enter, collected, calls({"a", "b"}), tool_says(1, "x"), stopped{{errc::cancelled, "by the user"}},
        tool_says(0, "late")},
       "collect model tools finish",
       "U:hello C:a C:b O:not finished: by the user O:x",
       ""},
  };
  for (const auto& r : rows) {
    INFO(r.situation);
    const auto game = play(r.events);
    CHECK(game.effects == r.effects);
    CHECK(story(game.run) == r.story);
    CHECK(game.run.output == r.output);
  }
}

TEST_CASE("a run ends after its turns with a typed error") {
  const auto game = play({enter, collected, calls({"zzz"}), collected, calls({"zzz"})}, {2, 1000});
  CHECK(game.effects == "collect model collect model finish");
  REQUIRE(game.run.failure);
  CHECK(game.run.failure->code == errc::max_turns_exceeded);
}

TEST_CASE("handing off in circles is bounded by the turn limit") {
  std::vector<event> events = {enter};
  for (int i = 0; i < 20; ++i) {
    events.push_back(collected);
    events.push_back(calls({"transfer_to_ops"}));
    events.push_back(entered_agent{agent_named("ops")});
  }
  const auto game = play(events);
  CHECK(game.run.turns == 10);
  REQUIRE(game.run.failure);
  CHECK(game.run.failure->code == errc::max_turns_exceeded);
}

TEST_CASE("a model call gets the history, the agent's instructions and the tools of the turn") {
  auto past = std::make_shared<const item_list>(item_list{user_message{"before"}});
  auto run = begin(past, "hello");
  step(run, enter);
  const auto done = step(run, collected);
  REQUIRE(done.size() == 1);
  const auto& request = *std::get<call_model>(done[0]).request;
  CHECK(request.past == past);
  CHECK(request.fresh == item_list{user_message{"hello"}});
  CHECK(request.instructions == "be triage");
  CHECK(request.agent == "triage");
  CHECK(request.tools->size() == 4);
}

TEST_CASE("items carry the agent that made them, and usage adds up over turns") {
  const auto game = play({enter, collected, calls({"transfer_to_ops"}), entered_agent{agent_named("ops")},
                          collected, says("hi")});
  CHECK(std::get<tool_call>(game.run.fresh[1]).agent == "triage");
  CHECK(std::get<assistant_message>(game.run.fresh[3]).agent == "ops");
  CHECK(game.run.used == usage{2, 20, 10, 0, 0});
}

TEST_CASE("a tool is asked for by its owner's name") {
  const auto before = play({enter, collected});
  auto run = before.run;
  const auto done = step(run, calls({"b"}));
  const auto& call = std::get<call_tools>(done.at(0)).calls.at(0);
  CHECK(call.source == 0);
  CHECK(call.name == "b");
  CHECK(call.index == 0);
  CHECK(call.call_id == "c0");
}
