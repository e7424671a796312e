#include "libagent/core/json.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;

namespace {

/// The handoffs of agent 'a' stand in line 2, from column 30 on; 'b' and 'c' are other agents.
std::string with_handoffs(const std::string& list) {
  return "models: {default: {provider: openai, model: m}}\nagents: [{name: a, handoffs: " + list +
         "}, {name: b}, {name: c}]\n";
}

std::vector<handoff_definition> handoffs_of(const std::string& list) {
  const auto loaded = read(with_handoffs(list));
  INFO(list);
  REQUIRE(errors_of(loaded).empty());
  return loaded.value->agents[0].handoffs;
}

} // namespace

TEST_CASE("a handoff is a name, or a map of what holds for it") {
  const auto handoffs =
      handoffs_of(R"([c, {agent: b, tool_name: to_billing, description: D, nest_history: true,
    input_schema: {type: object, properties: {reason: {type: string}}}, input_filter: drop_tools,
    enabled: "context.paid == true", approval: always}])");
  REQUIRE(handoffs.size() == 2);
  CHECK(handoffs[0].agent == "c");
  CHECK(handoffs[0].tool_name.empty());
  CHECK_FALSE(handoffs[0].input);
  CHECK_FALSE(handoffs[0].enabled);
  CHECK_FALSE(handoffs[0].approval.needed);
  CHECK(handoffs[0].filter.what == input_filter::kind::keep_all);
  const auto& full = handoffs[1];
  CHECK(full.agent == "b");
  CHECK(full.tool_name == "to_billing");
  CHECK(full.description == "D");
  REQUIRE(full.input);
  CHECK(full.input->validate({{"reason", "r"}}).has_value());
  CHECK_FALSE(full.input->validate({{"reason", 5}}).has_value());
  CHECK(full.filter.what == input_filter::kind::drop_tools);
  CHECK(full.nest_history);
  CHECK(*holds(full.enabled, {{"context", {{"paid", true}}}}));
  CHECK(full.approval.needed);
}

TEST_CASE("a filter may keep the last items") {
  const auto filter = handoffs_of("[{agent: b, input_filter: {last: 3}}]")[0].filter;
  CHECK(filter.what == input_filter::kind::last);
  CHECK(filter.count == 3);
  CHECK(handoffs_of("[{agent: b, input_filter: keep_all}]")[0].filter.what == input_filter::kind::keep_all);
}

TEST_CASE("two handoffs to one agent are right if their tools have different names") {
  CHECK(handoffs_of("[b, {agent: b, tool_name: escalate}]").size() == 2);
}

TEST_CASE("what is wrong with a handoff is told") {
  const std::string where = " in entry 1 of 'handoffs' in agent 'a' ";
  const std::vector<mistake> mistakes = {
      {"[{tool_name: t}]", "2:31: entry 1 of 'handoffs' in agent 'a' has no 'agent'; write agent: NAME"},
      {"[{agent: d}]", "2:39: agent 'a' hands off to 'd', which does not exist; agents are 'a', 'b', 'c'"},
      {"[{agent: a}]", "2:39: agent 'a' hands off to itself; name another agent"},
      {"[{agent: b}, b]", "2:43: agent 'a' names handoff 'b' twice; name it once"},
      {"[{agent: b, tool_name: t}, {agent: b, tool_name: t}]",
       "2:65: agent 'a' names handoff 'b' twice; name it once"},
      {"[{agent: b, tool_name: transfer_to_c}, c]", "2:69: the handoff 'b' and the handoff 'c' are one tool "
                                                    "to the model (transfer_to_c); give one of them "
                                                    "another 'tool_name'"},
      {"[{agent: b, tool_name: to b}]",
       "2:53: 'tool_name'" + where +
           "is no name that models take for a tool; use letters, digits, '_' and "
           "'-', at most 64 of them"},
      {"[{agent: b, input_filter: last}]",
       "2:56: 'input_filter'" + where + "is 'last'; known words are 'keep_all', 'drop_tools'"},
      {"[{agent: b, input_filter: {last: 0}}]",
       "2:63: 'last' in 'input_filter'" + where + "is 0; it has to be a whole number from 1 to 1000000000"},
      {"[{agent: b, input_filter: {first: 1}}]", "2:42: 'input_filter'" + where +
                                                     "has no 'last'; write last: N, a number of items\n2:57: "
                                                     "unknown key 'first' in 'input_filter' in entry "
                                                     "1 of 'handoffs' in agent 'a'; known keys are 'last'"},
      {"[{agent: b, input_schema: {type: string}}]",
       "2:56: 'input_schema'" + where +
           "does not describe an object, as what a model says in a call is; give it type: object"},
      {"[{agent: b, input_schema: string}]",
       "2:56: 'input_schema'" + where +
           "is a text; it has to be a JSON Schema, such as {type: object, properties: {}}"},
      {"[{agent: b, nest: true}]",
       "2:42: unknown key 'nest'" + where.substr(0, where.size() - 1) +
           "; known keys are 'agent', 'tool_name', 'description', 'input_schema', "
           "'input_filter', 'nest_history', 'enabled', 'approval'"},
      {"[[b]]", "2:31: entry 1 of 'handoffs' in agent 'a' is a list; it has to be a text"},
      {"b", "2:30: 'handoffs' in agent 'a' is a text; it has to be a list, such as [one, another]"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_handoffs(written)) == message);
  }
  CHECK(error_of(with_handoffs("[{agent: b, input_schema: {type: 5}}]")).find("is wrong: ") !=
        std::string::npos);
}

TEST_CASE("a rule of a scripted model may use a handoff with rules of its own") {
  CHECK(error_of("models: {default: {provider: scripted, rules: [{when: {agent: a}, handoff: b}]}}\n"
                 "agents: [{name: a, handoffs: [{agent: b, tool_name: t}]}, {name: b}]\n")
            .empty());
}
