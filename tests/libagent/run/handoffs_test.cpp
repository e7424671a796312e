#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const std::string to_ops = "O:{\"assistant\":\"ops\"}";

agent_ptr handing_to(std::vector<handoff_definition> handoffs) {
  return make_agent("m", [&](auto& a) { a.handoffs = std::move(handoffs); });
}

handoff_definition ops_with(const std::function<void(handoff_definition&)>& set) {
  handoff_definition made("ops");
  set(made);
  return made;
}

const auto ops = make_agent("ops");
const auto two = handing_to({"ops", "hr"});

json_schema reason_schema() {
  return json_schema::compile(json::parse(R"({"type":"object","properties":{"why":{"type":"string"}},
    "required":["why"]})"))
      .value();
}

} // namespace

TEST_CASE("a handoff passes the run on") {
  check_rows({
      {"to the next agent, who goes on",
       {enter(two), collected, calls({"transfer_to_ops"}), enter(ops), collected, says("ops here")},
       "collect model handoff(ops) collect model finish",
       "U:hello C:transfer_to_ops " + to_ops + " A:ops here",
       "ok:ops here"},
      {"after the tools beside it",
       {enter(two), collected, calls({"transfer_to_ops", "a"}), tool_says(1, "x")},
       "collect model tools(1) handoff(ops)",
       "U:hello C:transfer_to_ops C:a " + to_ops + " O:x",
       "handing_off"},
      {"the first of several; the others are told so",
       {enter(two), collected, calls({"transfer_to_hr", "transfer_to_ops", "transfer_to_hr"})},
       "collect model handoff(hr)",
       "U:hello C:transfer_to_hr C:transfer_to_ops C:transfer_to_hr O:{\"assistant\":\"hr\"} "
       "O:!Not carried out: this turn already hands off to 'hr'. "
       "O:!Not carried out: this turn already hands off to 'hr'.",
       "handing_off"},
      {"whatever the model says about one that takes nothing",
       {enter(two), collected, wishes({{"transfer_to_ops", "please!"}})},
       "collect model handoff(ops)",
       "U:hello C:transfer_to_ops " + to_ops,
       "handing_off"},
      {"an agent that comes twice is one agent more",
       {enter(two), collected, calls({"transfer_to_ops"}), enter(ops), enter(two)},
       "collect model handoff(ops) collect",
       "U:hello C:transfer_to_ops " + to_ops,
       "collecting"},
      {"a stop on the way ends the run",
       {enter(two), collected, calls({"transfer_to_ops"}), stop(), enter(ops)},
       "collect model handoff(ops) finish",
       "U:hello C:transfer_to_ops " + to_ops,
       "cancelled"},
  });
}

TEST_CASE("a handoff with rules of its own") {
  const auto reasoned = handing_to({ops_with([](auto& h) { h.input = reason_schema(); }), "hr"});
  const auto asked = handing_to({ops_with([](auto& h) { h.approval.needed = true; }), "hr"});
  const auto closed =
      handing_to({ops_with([](auto& h) { h.enabled = [](const json&) -> result<bool> { return false; }; })});
  const std::string misfit =
      "O:!Error: the arguments for 'transfer_to_ops' break its schema: Missing required property 'why'.";
  check_rows({
      {"input that does not fit is the model's to mend, and nothing is handed off",
       {enter(reasoned), collected, wishes({{"transfer_to_ops", "{}"}})},
       "collect model collect",
       "U:hello C:transfer_to_ops " + misfit,
       "collecting"},
      {"the next one that fits is carried out",
       {enter(reasoned), collected, wishes({{"transfer_to_ops", "{}"}, {"transfer_to_hr"}})},
       "collect model handoff(hr)",
       "U:hello C:transfer_to_ops C:transfer_to_hr " + misfit + " O:{\"assistant\":\"hr\"}",
       "handing_off"},
      {"one that is not enabled is not there",
       {enter(closed), collected, calls({"transfer_to_ops"})},
       "collect model collect",
       "U:hello C:transfer_to_ops O:!Error: there is no tool 'transfer_to_ops'; available tools: a, b, c, "
       "add.",
       "collecting"},
      {"one that needs a yes waits for it",
       {enter(asked), collected, calls({"transfer_to_ops"})},
       "collect model pause",
       "U:hello C:transfer_to_ops",
       "paused"},
      {"and takes place once it has it",
       {enter(asked), collected, calls({"transfer_to_ops"}), enter(asked), decide({approve("1.0")}),
        collected},
       "collect model pause collect handoff(ops)",
       "U:hello C:transfer_to_ops " + to_ops,
       "handing_off"},
      {"a no is told to the model",
       {enter(asked), collected, calls({"transfer_to_ops"}), enter(asked), decide({reject("1.0")}),
        collected},
       "collect model pause collect collect",
       "U:hello C:transfer_to_ops O:!The call of 'transfer_to_ops' was not approved.",
       "collecting"},
      {"another one beside it does not slip through while it waits",
       {enter(asked), collected, calls({"transfer_to_ops", "transfer_to_hr"}), enter(asked),
        decide({reject("1.0")}), collected},
       "collect model pause collect collect",
       "U:hello C:transfer_to_ops C:transfer_to_hr O:!The call of 'transfer_to_ops' was not approved. "
       "O:!Not carried out: this turn already hands off to 'ops'.",
       "collecting"},
  });
}

TEST_CASE("the effect of a handoff has what the model said about it, and its rules") {
  const auto reasoned = handing_to({ops_with([](auto& h) {
    h.input = reason_schema();
    h.tool_name = "escalate";
    h.description = "Ask ops.";
  })});
  const auto played = play({enter(reasoned), collected, wishes({{"escalate", R"({"why":"fire"})"}})});
  const auto& offered = std::get<call_model>(played.done.at(1)).request->tools->back();
  CHECK(offered.name == "escalate");
  CHECK(offered.description == "Ask ops.");
  const auto& made = std::get<hand_off>(played.done.back());
  CHECK(*made.arguments == json{{"why", "fire"}});
  REQUIRE(made.rules);
  CHECK(made.rules->tool_name == "escalate");
}

TEST_CASE("what the next agent sees is up to the handoff's filter; the session keeps all") {
  using kind = input_filter::kind;
  const auto seen_with = [](const std::function<void(handoff_definition&)>& set) {
    const auto past =
        std::make_shared<const item_list>(item_list{user_message{"old"}, assistant_message{"m", "yes?"}});
    auto played = play({enter(handing_to({ops_with(set)})), collected,
                        answers({reasoning{"", "hm", "f", "{}"}, tool_call{"1", "a", "{}", ""}}),
                        tool_says(0, "x"), collected, calls({"transfer_to_ops"}), enter(ops), collected,
                        calls({"b"}), tool_says(0, "y"), collected},
                       {}, past);
    CHECK(story(played.run.fresh) ==
          "U:hello R:hm C:a O:x C:transfer_to_ops O:{\"assistant\":\"ops\"} C:b O:y");
    CHECK(flaw(last_request(played)) == "");
    return story(last_request(played));
  };
  const auto with = [&](kind what, std::size_t count = 0) {
    return seen_with([=](auto& h) { h.filter = {what, count, {}}; });
  };
  CHECK(with(kind::keep_all) ==
        "U:old A:yes? U:hello R:hm C:a O:x C:transfer_to_ops O:{\"assistant\":\"ops\"} C:b O:y");
  CHECK(with(kind::drop_tools) == "U:old A:yes? U:hello C:b O:y");
  CHECK(with(kind::last, 3) == "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"} C:b O:y");
  CHECK(with(kind::last, 2) == "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"} C:b O:y");
  CHECK(with(kind::last, 1) == "U:hello C:b O:y");
  CHECK(with(kind::last, 0) == "U:hello C:b O:y");
  CHECK(with(kind::last, 99) == with(kind::keep_all));
  CHECK(seen_with([](auto& h) {
          h.filter = {kind::code, 0, [](const item_list& all) {
                        return item_list{all.front(), all.back(), all[4]};
                      }};
        }) == "U:old C:b O:y");
  CHECK(seen_with([](auto& h) {
          h.filter = {kind::code, 0, [](const item_list& all) { return item_list{all.front(), all[3]}; }};
        }) == "U:old C:b O:y");
  CHECK(seen_with([](auto& h) { h.nest_history = true; }) ==
        "U:The conversation so far:\n\nuser: old\nm: yes?\nuser: hello\nm calls a {}\noutput: x\n"
        "m calls transfer_to_ops {}\noutput: {\"assistant\":\"ops\"} C:b O:y");
  CHECK(seen_with([](auto& h) {
          h.nest_history = true;
          h.filter = {kind::last, 0, {}};
        }) == seen_with([](auto& h) { h.nest_history = true; }));
}

TEST_CASE("a second filter starts from what the first one left") {
  const auto drop = [](const char* to) {
    handoff_definition made(to);
    made.filter.what = input_filter::kind::drop_tools;
    return made;
  };
  const auto played =
      play({enter(handing_to({drop("ops")})), collected, calls({"transfer_to_ops"}),
            enter(make_agent("ops", [&](auto& a) { a.handoffs = {drop("hr")}; })), collected,
            answers({assistant_message{"", "to hr"}, tool_call{"2", "transfer_to_hr", "{}", ""}}),
            enter(make_agent("hr")), collected});
  CHECK(story(last_request(played)) == "U:hello A:to hr");
}

TEST_CASE("a filter sees no notes of a former agent's output that was not good enough") {
  const auto agent = make_agent("m", [](auto& a) {
    a.handoffs = {"ops"};
    a.output_guardrails = {{"g"}};
  });
  const auto played = play({enter(agent), collected, says("bad"), rejects("g", "mend it"), collected});
  CHECK(story(last_request(played)) == "U:hello A:bad U:mend it");
  auto later = played;
  play_on(later, {calls({"transfer_to_ops"}), enter(ops), collected});
  CHECK(story(last_request(later)) == "U:hello C:transfer_to_ops " + to_ops);
}
