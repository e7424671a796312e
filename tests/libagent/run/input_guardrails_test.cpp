#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

agent_ptr guarded(std::vector<guardrail_use> guardrails) {
  return make_agent("m", [&](auto& a) { a.input_guardrails = std::move(guardrails); });
}

const auto blocking = guarded({{"one"}, {"two"}});
const auto parallel = guarded({{"one", true}, {"two", true}});
const auto mixed = guarded({{"beside", true}, {"before"}});

} // namespace

TEST_CASE("guardrails that block are asked one after the other before the model") {
  check_rows({
      {"all pass",
       {enter(blocking), passes("one"), passes("two"), collected, says("hi")},
       "check(input one) check(input two) collect model finish",
       "U:hello A:hi",
       "ok:hi"},
      {"a trip ends the run, and what the user said stays",
       {enter(blocking), passes("one"), trips("two", "rude")},
       "check(input one) check(input two) finish",
       "U:hello",
       "guardrail_tripped"},
      {"a trip of the first asks no other",
       {enter(blocking), trips("one", "rude")},
       "check(input one) finish",
       "U:hello",
       "guardrail_tripped"},
      {"a rewriting changes what the user said",
       {enter(blocking), rewrites("one", "hullo"), passes("two"), collected, says("hi")},
       "check(input one) check(input two) collect model finish",
       "U:hullo A:hi",
       "ok:hi"},
      {"a rejection leaves it, and the model sees the message in its place",
       {enter(blocking), rejects("one", "not that"), passes("two"), collected, says("hi")},
       "check(input one) check(input two) collect model finish",
       "U:hello A:hi",
       "ok:hi"},
      {"one that cannot judge ends the run",
       {enter(blocking), fails_to_judge("one")},
       "check(input one) finish",
       "U:hello",
       "model_timeout"},
      {"a verdict given twice does not ask the next one twice",
       {enter(blocking), passes("one"), passes("two"), passes("one"), passes("two"), collected,
        trips("two", "")},
       "check(input one) check(input two) collect model",
       "U:hello",
       "thinking"},
      {"a stop comes before the verdict",
       {enter(blocking), stop(), passes("one")},
       "check(input one) finish",
       "U:hello",
       "cancelled"},
      {"those that block come first, those beside the model with its first call only",
       {enter(mixed), passes("before"), collected, passes("beside"), calls({"a"}), tool_says(0, "x"),
        collected, says("hi")},
       "check(input before) collect model check(input beside) tools(0) collect model finish",
       "U:hello C:a O:x A:hi",
       "ok:hi"},
  });
}

TEST_CASE("a verdict repeated while the next guardrail works is ignored, whatever it says") {
  auto played = play({enter(blocking)});
  const auto first = std::get<check>(played.done.at(0)).ticket;
  play_on(played, {passes("one")});
  for (const auto what : {guardrail::action::pass, guardrail::action::rewrite, guardrail::action::trip})
    CHECK(step(played.run, checked{first, guardrail::verdict{what, "x", "x"}}).empty());
  CHECK(step(played.run, checked{first, fail(errc::model_timeout, "late")}).empty());
  CHECK(ending(played.run) == "guarding_input");
  CHECK(story(played.run.fresh) == "U:hello");
}

TEST_CASE("while guardrails work beside the model, no tool runs and nothing is final") {
  check_rows({
      {"the answer waits for all of them",
       {enter(parallel), collected, says("hi"), passes("two"), passes("one")},
       "collect model check(input one) check(input two) finish",
       "U:hello A:hi",
       "ok:hi"},
      {"so do tool calls",
       {enter(parallel), collected, calls({"a"}), passes("one"), passes("two")},
       "collect model check(input one) check(input two) tools(0)",
       "U:hello C:a",
       "acting"},
      {"they do not wait for anything once all have passed",
       {enter(parallel), collected, passes("one"), passes("two"), calls({"a"})},
       "collect model check(input one) check(input two) tools(0)",
       "U:hello C:a",
       "acting"},
      {"nothing of the answer is told before",
       {enter(parallel), collected, calls({"a"}), passes("one")},
       "collect model check(input one) check(input two)",
       "U:hello",
       "holding"},
      {"a trip while the model thinks ends the run",
       {enter(parallel), collected, trips("two", "rude"), says("hi"), passes("one")},
       "collect model check(input one) check(input two) finish",
       "U:hello",
       "guardrail_tripped"},
      {"a trip once the model has answered keeps nothing of the answer",
       {enter(parallel), collected, calls({"a"}), passes("one"), trips("two", "rude")},
       "collect model check(input one) check(input two) finish",
       "U:hello",
       "guardrail_tripped"},
      {"a model's failure ends the run whatever they say",
       {enter(parallel), collected, model_fails(), trips("two", "rude")},
       "collect model check(input one) check(input two) finish",
       "U:hello",
       "model_failed"},
      {"one that cannot judge ends the run",
       {enter(parallel), collected, says("hi"), fails_to_judge("two")},
       "collect model check(input one) check(input two) finish",
       "U:hello",
       "model_timeout"},
      {"a rewriting asks the model again, for the rewritten input",
       {enter(parallel), collected, rewrites("one", "hullo"), passes("two"), says("hi"), collected,
        says("ho")},
       "collect model check(input one) check(input two) collect model finish",
       "U:hullo A:ho",
       "ok:ho"},
      {"a rewriting of an input that the model has answered asks it again too",
       {enter(parallel), collected, calls({"a"}), rewrites("one", "hullo"), passes("two"), collected,
        says("ho")},
       "collect model check(input one) check(input two) collect model finish",
       "U:hullo A:ho",
       "ok:ho"},
      {"a rejection asks the model again",
       {enter(parallel), collected, rejects("one", "not that"), passes("two"), says("hi"), collected,
        says("ho")},
       "collect model check(input one) check(input two) collect model finish",
       "U:hello A:ho",
       "ok:ho"},
      {"two that rewrite do not undo each other's work: the second one looks at what the first one left",
       {enter(parallel), collected, rewrites("one", "h*llo"), rewrites("two", "hell*"),
        rewrites("two", "h*ll*"), says("hi"), collected, says("ho")},
       "collect model check(input one) check(input two) check(input two) collect model finish",
       "U:h*ll* A:ho",
       "ok:ho"},
      {"a stop after the turn keeps the model from being asked again",
       {enter(parallel), collected, rewrites("one", "hullo"), passes("two"), stop_after(), says("hi")},
       "collect model check(input one) check(input two) finish",
       "U:hullo",
       "cancelled"},
      {"a handoff does not bring the next agent's guardrails",
       {enter(make_agent("m", [](auto& a) { a.handoffs = {"ops"}; })), collected, calls({"transfer_to_ops"}),
        enter(blocking), collected},
       "collect model handoff(ops) collect model",
       "U:hello C:transfer_to_ops O:{\"assistant\":\"ops\"}",
       "thinking"},
  });
}

TEST_CASE("a guardrail that looks again is told the rewritten input, and its first verdict counts no more") {
  auto played = play({enter(parallel), collected, rewrites("one", "h*llo")});
  const auto stale = std::get<check>(played.done.at(3)).ticket;
  play_on(played, {rewrites("two", "hell*")});
  const auto& again = std::get<check>(played.done.back());
  CHECK(again.text == "h*llo");
  CHECK_FALSE(again.ticket == stale);
  CHECK(step(played.run, checked{stale, guardrail::verdict{}}).empty());
  play_on(played, {says("hi")});
  CHECK(ending(played.run) == "holding");
}

TEST_CASE("a rejected input is kept from the model, the history before it is not") {
  const auto past = std::make_shared<const item_list>(item_list{user_message{"before"}});
  const auto played = play({enter(blocking), rejects("one", "not that"), passes("two"), collected,
                            calls({"a"}), tool_says(0, "x"), collected},
                           {}, past);
  CHECK(story(last_request(played)) == "U:before U:not that C:a O:x");
  CHECK(story(played.run.fresh) == "U:hello C:a O:x");
}

TEST_CASE("a trip names the guardrail and its stage") {
  const auto played = play({enter(blocking), trips("one", "rude")});
  REQUIRE(played.run.failure);
  CHECK(played.run.failure->detail == "the guardrail 'one' stopped the run at its input: rude");
  CHECK(*played.run.failure->facts == json{{"guardrail", "one"}, {"stage", "input"}});
}

TEST_CASE("a guardrail is asked what the user said, as rewritten so far") {
  const auto played = play({enter(blocking), rewrites("one", "hullo")});
  CHECK(std::get<check>(played.done.at(0)).text == "hello");
  CHECK(std::get<check>(played.done.at(1)).text == "hullo");
}

TEST_CASE("guardrails after a rejection look at what the user said, and what they rewrite is what is kept") {
  const auto agent = make_agent("m", [](auto& a) { a.input_guardrails = {{"swear"}, {"mask"}}; });
  auto played = play({enter(agent), rejects("swear", "be kind")});
  CHECK(std::get<check>(played.done.back()).text == "hello");
  play_on(played, {rewrites("mask", "*"), collected});
  CHECK(story(played.run.fresh) == "U:*");
  CHECK(story(last_request(played)) == "U:be kind");
}
