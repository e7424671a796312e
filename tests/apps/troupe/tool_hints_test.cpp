#include "apps/troupe/tool_hints.hpp"
#include "libagent/core/json.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::cli;

namespace {

using strings = std::vector<std::string>;

tool_spec tool(std::string name, json schema) {
  return {std::move(name), "", json_schema::compile(std::move(schema)).value()};
}

/// Server 's' has tools that take one argument each, and one that takes any.
server_tools offered() {
  const auto takes = [](const std::string& name) {
    return json{{"type", "object"}, {"properties", {{name, {{"type", "string"}}}}}};
  };
  return {{"s", std::make_shared<const tool_list>(tool_list{tool("search", takes("query")),
                                                            tool("delete_all", takes("reason")),
                                                            tool("eval", {{"type", "object"}})})}};
}

/// Line 3 has the server's keys, line 5 those of agent 'a'; 'b' is another agent.
config::configuration file_with(const std::string& server_keys, const std::string& agent_keys) {
  const auto loaded =
      config::read("models: {default: {provider: openai, model: m}}\nmcpServers:\n  s: {command: x" +
                       server_keys + "}\nagents:\n  - {name: a, " + agent_keys + "}\n  - {name: b}\n",
                   {{"TOOL", "s3cr3t"}});
  INFO(server_keys << agent_keys);
  REQUIRE(config::errors_of(loaded) == strings{});
  return *loaded.value;
}

/// All hints as "LINE: message".
std::string hints_of(const config::configuration& file, const server_tools& known) {
  std::string all;
  for (const auto& one : find_tool_hints(file, "f.yaml", known))
    all += (all.empty() ? "" : "\n") + std::to_string(one.line) + ": " + one.message;
  return all;
}

std::string for_agent(const std::string& keys) {
  return hints_of(
      file_with("", "mcp_servers: [s], handoffs: [{agent: b, tool_name: escalate, approval: {when: "
                    "arguments.reason == 'x'}, input_schema: {type: object, properties: {reason: {type: "
                    "string}}}}], agent_tools: [], " +
                        keys),
      offered());
}

std::string for_server(const std::string& keys) {
  return hints_of(file_with(", " + keys, "mcp_servers: [s]"), offered());
}

} // namespace

TEST_CASE("names of tools that an agent does not have are hinted at") {
  const std::vector<config::mistake> mistakes = {
      {"model_settings: {tool_choice: serch}", "5: 'tool_choice' in 'model_settings' in agent 'a' names "
                                               "'serch', which is no tool of the agent; did you mean "
                                               "'search'?"},
      {"tool_use_behavior: {stop_at_tools: [search, find]}",
       "5: 'stop_at_tools' in 'tool_use_behavior' in agent 'a' names 'find', which is no tool of the agent; "
       "tools are "
       "'search', 'delete_all', 'eval', 'escalate'"},
      {"tools: {\"*\": {timeout: 1s}, evil: {timeout: 1s}}",
       "5: 'tools' in agent 'a' names 'evil', which is no tool of the agent; did you mean 'eval'?"},
      {"tools: {escalate: {timeout: 1s}}", "5: 'tools' in agent 'a' names 'escalate', which is no tool of "
                                           "the agent; tools are 'search', 'delete_all', "
                                           "'eval'"},
      {"model_settings: {tool_choice: \"${TOOL}\"}",
       "5: 'tool_choice' in 'model_settings' in agent 'a' names '${...}', which is no tool of the agent; "
       "tools are "
       "'search', 'delete_all', 'eval', 'escalate'"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(for_agent(written) == message);
  }
  for (const auto& right :
       {"model_settings: {tool_choice: escalate}", "model_settings: {tool_choice: required}",
        "tool_use_behavior: {stop_at_tools: [search, eval]}",
        "tools: {\"*\": {timeout: 1s}, search: {timeout: 1s}}"}) {
    INFO(right);
    CHECK(for_agent(right) == "");
  }
}

TEST_CASE("names of tools that a server does not offer are hinted at, also where others are blocked") {
  CHECK(
      for_server("blocked_tools: [search, delete_al]") ==
      "3: 'blocked_tools' in MCP server 's' names 'delete_al', which is no tool of the server; did you mean "
      "'delete_all'?");
  CHECK(for_server("allowed_tools: [serch], disabledTools: [eval]") ==
        "3: 'allowed_tools' in MCP server 's' names 'serch', which is no tool of the server; did you mean "
        "'search'?");
}

TEST_CASE("arguments that no tool takes are hinted at where an approval asks for them") {
  CHECK(for_agent(
            "tools: {search: {approval: {when: \"arguments.qery == 'x' and arguments.query == 'y'\"}}}") ==
        "5: 'when' in 'approval' in tool 'search' in agent 'a' asks for the argument 'qery', which the tool "
        "does not "
        "take; did you mean 'query'?");
  CHECK(for_agent("tools: {eval: {approval: {when: arguments.qery == 1}}}") == "");
  CHECK(for_agent("tools: {\"*\": {approval: {when: arguments.qery == 1}}}") == "");
  CHECK(for_server("approval: {when: arguments.qery == 1}") == "");
  CHECK(for_server("blocked_tools: [eval], approval: {when: arguments.qery == 1}") ==
        "3: 'when' in 'approval' in MCP server 's' asks for the argument 'qery', which no tool takes; did "
        "you mean "
        "'query'?");
  CHECK(hints_of(file_with("", "handoffs: [{agent: b, approval: {when: arguments.reason == 1}}]"), {}) ==
        "5: 'when' in 'approval' in entry 1 of 'handoffs' in agent 'a' asks for the argument 'reason', which "
        "the tool "
        "does not take; there are none");
  CHECK(hints_of(file_with("", "agent_tools: [b], tools: {b: {approval: {when: arguments.text == 1}}}"),
                 {}) == "5: 'when' in 'approval' in tool 'b' in agent 'a' asks for the argument 'text', "
                        "which the tool does not take; "
                        "arguments are 'input'");
}

TEST_CASE("where the tools are not all known, nothing is hinted at") {
  const auto wrong = std::string{"mcp_servers: [s], model_settings: {tool_choice: nothing}"};
  CHECK(hints_of(file_with("", wrong), {}) == "");
  CHECK(hints_of(file_with(", blocked_tools: [nothing]", "description: d"), {}) == "");
  CHECK(hints_of(file_with(", disabled: true", wrong), {}) == "");
}

TEST_CASE("an agent's tools are those that its servers keep, in the order of the file") {
  const auto file = file_with(", blocked_tools: [eval]", "mcp_servers: [s], handoffs: [b]");
  const auto box = tools_of(file, file.agents[0], offered());
  strings names;
  for (const auto& each : *box.offered())
    names.push_back(each.name);
  CHECK(names == strings{"search", "delete_all", "transfer_to_b"});
}
