#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;
using Catch::Matchers::Contains;

namespace {

output_schema number_output() {
  const auto schema =
      json::parse(R"({"type":"object","properties":{"n":{"type":"integer"},"note":{"type":"string"}},
    "required":["n"]})");
  return make_output_schema("answer", json_schema::compile(schema).value());
}

const change structured = [](auto& a) { a.output = number_output(); };
const auto typed = make_agent("m", structured);
const auto guarded = make_agent("m", [](auto& a) { a.output_guardrails = {{"one"}, {"two"}}; });
const auto both = make_agent("m", [](auto& a) {
  structured(a);
  a.output_guardrails = {{"g"}};
});
const std::string fits = R"({"n":1})";
const std::string misfits = R"({"n":"x"})";

} // namespace

TEST_CASE("a structured output has to fit, and may be repaired once") {
  check_rows({
      {"one that fits",
       {enter(typed), collected, says(fits)},
       "collect model finish",
       "U:hello A:" + fits,
       "ok:" + fits},
      {"one that does not is asked for again; the conversation has only the good one",
       {enter(typed), collected, says(misfits), collected, says(fits)},
       "collect model repair collect model finish",
       "U:hello A:" + fits,
       "ok:" + fits},
      {"nor after the repair: a typed error",
       {enter(typed), collected, says("no JSON"), collected, says(misfits)},
       "collect model repair collect model finish",
       "U:hello A:" + misfits,
       "invalid_output"},
      {"tools between do not bring another repair",
       {enter(typed), collected, says(misfits), collected, calls({"a"}), tool_says(0, "x"), collected,
        says(misfits)},
       "collect model repair collect model tools(0) collect model finish",
       "U:hello C:a O:x A:" + misfits,
       "invalid_output"},
      {"another agent may repair its own",
       {enter(make_agent("m",
                         [](auto& a) {
                           structured(a);
                           a.handoffs = {"ops"};
                         })),
        collected, says(misfits), collected, calls({"transfer_to_ops"}), enter(make_agent("ops", structured)),
        collected, says(misfits), collected, says(fits)},
       "collect model repair collect model handoff(ops) collect model repair collect model finish",
       "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"} A:" + fits,
       "ok:" + fits},
      {"an empty answer runs again, and is no repair",
       {enter(typed), collected, answers({}), collected, says(misfits), collected, says(fits)},
       "collect model collect model repair collect model finish",
       "U:hello A:" + fits,
       "ok:" + fits},
      {"a repair is a turn",
       {enter(typed), collected, says(misfits)},
       "collect model finish",
       "U:hello",
       "max_turns_exceeded",
       {1, 1000, 16}},
      {"a stop after the turn leaves no time for a repair",
       {enter(typed), collected, stop_after(), says(misfits)},
       "collect model finish",
       "U:hello",
       "cancelled"},
  });
}

TEST_CASE("the repair turn has the bad answer whole and the validator's message; the request its format") {
  const auto played = play({enter(typed), collected,
                            answers({assistant_message{"", "well"}, reasoning{"", "hm", "f", "{}"},
                                     assistant_message{"", misfits}, reasoning{"", "so", "f", "{}"}}),
                            collected});
  CHECK(story(played.run.fresh) == "U:hello");
  CHECK_THAT(story(last_request(played)),
             Catch::Matchers::StartsWith("U:hello A:well R:hm A:" + misfits +
                                         " R:so U:The answer does not fit the required JSON Schema: n: "));
  CHECK(std::get<call_model>(played.done.back()).request->output == typed->output->format);
}

TEST_CASE("what was not good enough keeps its place in what the model sees") {
  const auto agent = make_agent("m", [](auto& a) { a.output_guardrails = {{"g"}}; });
  const auto played =
      play({enter(agent), collected, says("one"), rejects("g", "mend one"), collected, calls({"a"}),
            tool_says(0, "x"), collected, says("two"), rejects("g", "mend two"), collected});
  CHECK(story(last_request(played)) == "U:hello A:one U:mend one C:a O:x A:two U:mend two");
  CHECK(story(played.run.fresh) == "U:hello C:a O:x");
}

TEST_CASE("the structured output is JSON by the schema as the user wrote it") {
  const auto played = play({enter(typed), collected, says(R"({"n":1,"note":null})")});
  REQUIRE(played.run.structured);
  CHECK(*played.run.structured == json{{"n", 1}});
  CHECK(played.run.output == R"({"n":1,"note":null})");
}

TEST_CASE("a tool's output that ends the run need not fit") {
  const auto agent = make_agent("m", [](auto& a) {
    structured(a);
    a.tool_use_behavior.what = stop_rule::kind::stop_on_first_tool;
  });
  const auto text = play({enter(agent), collected, calls({"a"}), tool_says(0, "x")});
  CHECK(ending(text.run) == "ok:x");
  CHECK_FALSE(text.run.structured);
  const auto fitting = play({enter(agent), collected, calls({"a"}), tool_says(0, fits)});
  REQUIRE(fitting.run.structured);
  CHECK(*fitting.run.structured == json{{"n", 1}});
}

TEST_CASE("output guardrails look at a final output, one after the other") {
  check_rows({
      {"all pass",
       {enter(guarded), collected, says("hi"), passes("one"), passes("two")},
       "collect model check(output one) check(output two) finish",
       "U:hello A:hi",
       "ok:hi"},
      {"a rewriting is what the next one sees and what is kept",
       {enter(guarded), collected, says("hi"), rewrites("one", "ho"), passes("two")},
       "collect model check(output one) check(output two) finish",
       "U:hello A:ho",
       "ok:ho"},
      {"a rejection asks the model again, and all of them look again",
       {enter(guarded), collected, says("hi"), passes("one"), rejects("two", "be kind"), collected,
        says("dear"), passes("one"), passes("two")},
       "collect model check(output one) check(output two) collect model check(output one) check(output two) "
       "finish",
       "U:hello A:dear",
       "ok:dear"},
      {"rejections are bounded by the turn limit",
       {enter(guarded), collected, says("hi"), rejects("one", "be kind"), collected, says("hi"),
        rejects("one", "be kind")},
       "collect model check(output one) collect model check(output one) finish",
       "U:hello",
       "max_turns_exceeded",
       {2, 1000, 16}},
      {"a trip keeps what the user said and the tools that ran, not the message nor the thoughts about it",
       {enter(guarded), collected, calls({"a"}), tool_says(0, "x"), collected,
        answers({assistant_message{"", "well"}, reasoning{"", "hm", "f", "{}"},
                 assistant_message{"", "secret"}, reasoning{"", "so", "f", "{}"}}),
        trips("one", "leak")},
       "collect model tools(0) collect model check(output one) finish",
       "U:hello C:a O:x",
       "guardrail_tripped"},
      {"an answer of several messages is looked at whole, the output itself last",
       {enter(guarded), collected,
        answers({assistant_message{"", "well"}, reasoning{"", "hm", "f", "{}"}, assistant_message{"", "hi"}}),
        rewrites("one", "*"), passes("two"), passes("one"), rewrites("two", "ho")},
       "collect model check(output one) check(output two) check(output one) check(output two) finish",
       "U:hello A:* R:hm A:ho",
       "ok:ho"},
      {"what stands before the output trips as well",
       {enter(guarded), collected, answers({assistant_message{"", "secret"}, assistant_message{"", "hi"}}),
        trips("one", "leak")},
       "collect model check(output one) finish",
       "U:hello",
       "guardrail_tripped"},
      {"one that cannot judge lets nothing through",
       {enter(guarded), collected, says("hi"), fails_to_judge("one")},
       "collect model check(output one) finish",
       "U:hello",
       "model_timeout"},
      {"nor does a stop before the verdict",
       {enter(guarded), collected, says("hi"), passes("one"), stop(), passes("two")},
       "collect model check(output one) check(output two) finish",
       "U:hello",
       "cancelled"},
      {"a verdict given twice counts once",
       {enter(guarded), collected, says("hi"), passes("one"), passes("two"), passes("one")},
       "collect model check(output one) check(output two) finish",
       "U:hello A:hi",
       "ok:hi"},
      {"a stop after the turn does not keep an output that passes",
       {enter(guarded), collected, says("hi"), stop_after(), passes("one"), passes("two")},
       "collect model check(output one) check(output two) finish",
       "U:hello A:hi",
       "ok:hi"},
      {"but there is no turn for one that does not",
       {enter(guarded), collected, says("hi"), stop_after(), rejects("one", "be kind")},
       "collect model check(output one) finish",
       "U:hello",
       "cancelled"},
      {"a tool's output that ends the run is looked at too",
       {enter(make_agent("m",
                         [](auto& a) {
                           a.output_guardrails = {{"one"}};
                           a.tool_use_behavior.what = stop_rule::kind::stop_on_first_tool;
                         })),
        collected, calls({"a"}), tool_says(0, "x"), rewrites("one", "y")},
       "collect model tools(0) check(output one) finish",
       "U:hello C:a O:y",
       "ok:y"},
      {"what a guardrail stops does not stay, though the call keeps an output",
       {enter(make_agent("m",
                         [](auto& a) {
                           a.output_guardrails = {{"one"}};
                           a.tool_use_behavior.what = stop_rule::kind::stop_at_tools;
                           a.tool_use_behavior.tools = {"b"};
                         })),
        collected, calls({"a", "b", "c"}), tool_says(0, "x"), tool_says(1, "secret"), tool_says(2, "z"),
        trips("one", "leak")},
       "collect model tools(0 1 2) check(output one) finish",
       "U:hello C:a C:b C:c O:x O:(withheld) O:z",
       "guardrail_tripped"},
      {"if rejected, the model goes on from the tools",
       {enter(make_agent("m",
                         [](auto& a) {
                           a.output_guardrails = {{"one"}};
                           a.tool_use_behavior.what = stop_rule::kind::stop_on_first_tool;
                         })),
        collected, calls({"a"}), tool_says(0, "x"), rejects("one", "be kind"), collected, says("dear"),
        passes("one")},
       "collect model tools(0) check(output one) collect model check(output one) finish",
       "U:hello C:a O:x A:dear",
       "ok:dear"},
      {"an empty output is looked at",
       {enter(guarded), collected, answers({}), trips("one", "empty")},
       "collect model check(output one) finish",
       "U:hello",
       "guardrail_tripped"},
      {"only the last agent's look",
       {enter(make_agent("m",
                         [](auto& a) {
                           a.handoffs = {"ops"};
                           a.output_guardrails = {{"one"}};
                         })),
        collected, calls({"transfer_to_ops"}), enter(make_agent("ops")), collected, says("hi")},
       "collect model handoff(ops) collect model finish",
       "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"} A:hi",
       "ok:hi"},
  });
}

TEST_CASE("a stale verdict on a former output is ignored") {
  auto played = play({enter(guarded), collected, says("hi")});
  const auto first = std::get<check>(played.done.back()).ticket;
  play_on(played, {rejects("one", "be kind"), collected, says("dear")});
  CHECK(step(played.run, checked{first, guardrail::verdict{}}).empty());
  CHECK(step(played.run, checked{first, fail(errc::internal, "?")}).empty());
  CHECK(ending(played.run) == "guarding_output");
}

TEST_CASE("an output that a guardrail rewrites still has to fit") {
  const auto good = play({enter(both), collected, says(fits), rewrites("g", R"({"n":2})")});
  REQUIRE(good.run.structured);
  CHECK(*good.run.structured == json{{"n", 2}});
  CHECK(story(good.run.fresh) == R"(U:hello A:{"n":2})");

  const auto bad = play({enter(both), collected, says(fits), rewrites("g", misfits)});
  CHECK(ending(bad.run) == "invalid_output");
  CHECK_THAT(bad.run.failure->detail,
             Contains("the guardrail 'g' left an output that does not fit its schema"));
  CHECK(story(bad.run.fresh) == "U:hello");
  CHECK_FALSE(bad.run.structured);
}

TEST_CASE("the error of an output that does not fit names the agent and the reason") {
  const auto played = play({enter(typed), collected, says("x"), collected, says("{}")});
  REQUIRE(played.run.failure);
  CHECK(played.run.failure->detail == "the output of 'm' does not fit its schema, and did not after one "
                                      "repair: Missing required property 'n'");
}
