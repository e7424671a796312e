#include "libagent/core/json.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

/// The keys of agent 'a' stand in line 2, from column 20 on; 'b' and 'c' are other agents.
std::string with_keys(const std::string& keys, const std::string& keys_of_c = "") {
  return "models: {default: {provider: openai, model: m}}\nagents: [{name: a, " + keys +
         "}, {name: b}, {name: c" + (keys_of_c.empty() ? "" : ", " + keys_of_c) + "}]\n";
}

agent_definition agent_of(const std::string& keys) {
  const auto loaded = read(with_keys(keys));
  INFO(keys);
  REQUIRE(errors_of(loaded).empty());
  return loaded.value->agents[0];
}

void check_mistakes(const std::vector<mistake>& mistakes) {
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_keys(written)) == message);
  }
}

} // namespace

TEST_CASE("an agent treats each tool in its own way") {
  const auto agent = agent_of("tools: {\"*\": {timeout: 9s}, pay: {timeout: 1, on_error: fail_run, enabled: "
                              "\"context.admin == true\", approval: {when: arguments.amount > 5}}, x: {}}");
  REQUIRE(agent.tool_policies.size() == 3);
  CHECK(agent.tool_policies.at("*").timeout == 9s);
  CHECK_FALSE(agent.tool_policies.at("*").fails_run);
  CHECK_FALSE(agent.tool_policies.at("*").enabled);
  CHECK_FALSE(agent.tool_policies.at("x").timeout);
  const auto& pay = agent.tool_policies.at("pay");
  CHECK(pay.timeout == 1s);
  CHECK(pay.fails_run);
  CHECK_FALSE(*holds(pay.enabled, {{"context", {{"admin", false}}}}));
  CHECK(pay.approval.needed);
  CHECK(*holds(pay.approval.when, {{"arguments", {{"amount", 6}}}}));
}

TEST_CASE("what is wrong with what holds for a tool is told") {
  check_mistakes({
      {"tools: {t: {on_error: fail}}",
       "2:42: 'on_error' in tool 't' in agent 'a' is 'fail'; known words are 'tell_model', 'fail_run'"},
      {"tools: {t: {timeout: 0}}",
       "2:41: 'timeout' in tool 't' in agent 'a' is 0; it has to be a time from 1ms to 365d"},
      {"tools: {t: {enabled: \"tool == 't'\"}}",
       "2:41: 'enabled' in tool 't' in agent 'a' asks for 'tool', which "
       "is not known here; known names are 'context', 'agent', 'input'"},
      {"tools: {t: {retries: 2}}", "2:32: unknown key 'retries' in tool 't' in agent 'a'; known keys are "
                                   "'timeout', 'on_error', 'enabled', "
                                   "'approval', 'repeatable', 'input_guardrails', 'output_guardrails'"},
      {"tools: {t: off}", "2:31: tool 't' in agent 'a' is a text; it has to be a map of keys and values"},
      {"tools: [t]",
       "2:27: 'tools' in agent 'a' is a list; it has to be a map from names of tools to what holds "
       "for them, such as {search: {timeout: 10s}}"},
  });
}

TEST_CASE("agents can be tools of an agent") {
  const auto agent = agent_of("agent_tools: [b, {agent: c, tool_name: ask_c, description: D}]");
  REQUIRE(agent.agent_tools.size() == 2);
  CHECK(agent.agent_tools[0].agent == "b");
  CHECK(agent.agent_tools[0].tool_name.empty());
  CHECK(agent.agent_tools[1].agent == "c");
  CHECK(agent.agent_tools[1].tool_name == "ask_c");
  CHECK(agent.agent_tools[1].description == "D");
}

TEST_CASE("what is wrong with an agent as a tool is told") {
  check_mistakes({
      {"agent_tools: [d]",
       "2:34: agent 'a' names agent tool 'd', which does not exist; agents are 'a', 'b', 'c'"},
      {"agent_tools: [{agent: a}]", "2:42: agent 'a' is its own agent tool; name another agent"},
      {"agent_tools: [b, b]", "2:37: agent 'a' names agent tool 'b' twice; name it once"},
      {"agent_tools: [b, {agent: c, tool_name: b}]", "2:45: the agent tool 'b' and the agent tool 'c' are "
                                                     "one tool to the model (b); give one of them another "
                                                     "'tool_name'"},
      {"handoffs: [b], agent_tools: [{agent: c, tool_name: transfer_to_b}]",
       "2:57: the handoff 'b' and the agent tool 'c' are one tool to the model (transfer_to_b); give one of "
       "them "
       "another 'tool_name'"},
      {"agent_tools: [{tool_name: t}]",
       "2:34: entry 1 of 'agent_tools' in agent 'a' has no 'agent'; write agent: NAME"},
      {"agent_tools: [{agent: b, tool: t}]",
       "2:45: unknown key 'tool' in entry 1 of 'agent_tools' in agent 'a'; "
       "known keys are 'agent', 'tool_name', 'description'"},
      {"agent_tools: b",
       "2:33: 'agent_tools' in agent 'a' is a text; it has to be a list, such as [one, {agent: "
       "another, tool_name: ask_another}]"},
  });
}

TEST_CASE("agents that would run each other for ever are an error") {
  CHECK(error_of(with_keys("agent_tools: [c]", "agent_tools: [b, a]")) ==
        "2:77: agents 'a', 'c' lead in a circle as members and tools of each other; take one of them out");
  CHECK(error_of(with_keys("agent_tools: [c]", "kind: sequential, members: [a, b]")) ==
        "2:88: agents 'a', 'c' lead in a circle as members and tools of each other; take one of them out");
  CHECK(error_of(with_keys("agent_tools: [c, b]", "handoffs: [a], agent_tools: [b]")).empty());
}

TEST_CASE("what comes after tools were called is told by the agent") {
  using kind = stop_rule::kind;
  CHECK(agent_of("description: d").tool_use_behavior.what == kind::run_llm_again);
  CHECK(agent_of("tool_use_behavior: run_llm_again").tool_use_behavior.what == kind::run_llm_again);
  CHECK(agent_of("tool_use_behavior: stop_on_first_tool").tool_use_behavior.what == kind::stop_on_first_tool);
  const auto rule = agent_of("tool_use_behavior: {stop_at_tools: [x, y]}").tool_use_behavior;
  CHECK(rule.what == kind::stop_at_tools);
  CHECK(rule.tools == std::vector<std::string>{"x", "y"});
  CHECK(agent_of("description: d").reset_tool_choice);
  CHECK_FALSE(agent_of("reset_tool_choice: false").reset_tool_choice);
  check_mistakes({
      {"tool_use_behavior: stop_on_first",
       "2:39: 'tool_use_behavior' in agent 'a' is 'stop_on_first'; known words are 'run_llm_again', "
       "'stop_on_first_tool'"},
      {"tool_use_behavior: {stop_at_tools: []}", "2:55: 'stop_at_tools' in 'tool_use_behavior' in agent 'a' "
                                                 "is an empty list; give it the name of a tool"},
      {"tool_use_behavior: {}",
       "2:20: 'tool_use_behavior' in agent 'a' has no 'stop_at_tools'; write stop_at_tools: [TOOL, ...]"},
      {"tool_use_behavior: [x]",
       "2:39: 'tool_use_behavior' in agent 'a' is a list; it has to be run_llm_again, "
       "stop_on_first_tool, or a map such as {stop_at_tools: [search]}"},
      {"reset_tool_choice: maybe",
       "2:39: 'reset_tool_choice' in agent 'a' is a text; it has to be true or false"},
  });
}
