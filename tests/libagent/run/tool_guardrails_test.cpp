#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

const std::string unknown = "O:!Error: there is no tool 'nope'; available tools: a, b, c, add.";

} // namespace

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
       "U:hello C:b C:b O:x O:!carried out, but its output is withheld: the guardrail 'general' stopped the "
       "run "
       "at its tool_output: no",
       "guardrail_tripped"},
      {"nor is one that was not judged when the run was stopped",
       {enter(output), collected, calls({"b"}), tool_says(0, "secret"), stop(), passes("general")},
       "collect model tools(0) check(tool_output 0 general) finish",
       "U:hello C:b O:!carried out, but its output is withheld: by the user",
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

TEST_CASE("a failure that ends the run does not tell what a guardrail kept from the model") {
  const auto agent = make_agent("m", [](auto& a) {
    a.tool_policies["*"].fails_run = true;
    a.tool_policies["*"].output_guardrails = {"g"};
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
