#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;

namespace {

std::string with_agents(const std::string& agents) {
  return "models: {default: {provider: openai, model: m}, fast: {provider: openai, model: f}}\n"
         "mcpServers: {cloudwatch: {command: uvx}}\n" +
         agents;
}

} // namespace

TEST_CASE("all keys of an agent are read") {
  const auto loaded = read(with_agents(R"(agents:
  - name: a
    description: D
    instructions: I
    model: fast
    model_settings: {temperature: 0, top_p: 0.5, max_tokens: 100, tool_choice: required, parallel_tool_calls: false,
      reasoning_effort: low, reasoning_summary: auto, thinking_tokens: 1024}
    handoffs: [b]
    mcp_servers: [cloudwatch]
  - name: b
)"));
  REQUIRE(errors_of(loaded).empty());
  const auto& agent = loaded.value->agents[0];
  CHECK(agent.description == "D");
  CHECK(agent.instructions == "I");
  CHECK(agent.model == "fast");
  CHECK(agent.settings.temperature == 0.0);
  CHECK(agent.settings.top_p == 0.5);
  CHECK(agent.settings.max_tokens == 100u);
  CHECK(agent.settings.tool_choice == "required");
  CHECK(agent.settings.parallel_tool_calls == false);
  CHECK(agent.settings.reasoning_effort == "low");
  CHECK(agent.settings.reasoning_summary == "auto");
  CHECK(agent.settings.thinking_tokens == 1024u);
  REQUIRE(agent.handoffs.size() == 1);
  CHECK(agent.handoffs[0].agent == "b");
  CHECK(agent.mcp_servers == std::vector<std::string>{"cloudwatch"});
  CHECK(loaded.value->agents[1].settings == troupe::model_settings{});
}

TEST_CASE("an agent's name is required, unique and short") {
  CHECK(error_of(with_agents("agents:\n  - instructions: x\n")) ==
        "4:5: agent 1 has no 'name'; write name: NAME");
  CHECK(error_of(with_agents("agents:\n  - name: ''\n")) ==
        "4:11: a name is empty; give it at least one character");
  CHECK(error_of(with_agents("agents:\n  - name: \"a\\nb\"\n")).find("4:11: a name holds a line break") == 0);
  std::string long_name;
  for (unsigned i = 0; i < 64; ++i)
    long_name += "\xc3\xa9";
  CHECK(error_of(with_agents("agents: [{name: " + long_name + "}]\n")).empty());
  CHECK(error_of(with_agents("agents: [{name: " + long_name + "x}]\n")).find("longer than 64 characters") !=
        std::string::npos);
  CHECK(
      error_of(with_agents("agents: [{name: a}, {name: a}]\n")).find("3:28: duplicate name 'a' in agents") ==
      0);
  CHECK(error_of(with_agents("agents: [{name: 5}]\n"))
            .find("is a number; it has to be a text: put it in quotes") != std::string::npos);
}

TEST_CASE("references of agents have to exist, and the nearest name is suggested") {
  CHECK(error_of(with_agents("agents: [{name: triage, handoffs: [billling]}, {name: billing}]\n")) ==
        "3:36: agent 'triage' hands off to 'billling', which does not exist; did you mean 'billing'?");
  CHECK(error_of(with_agents("agents: [{name: a, mcp_servers: [cloudwach]}]\n")) ==
        "3:34: agent 'a' names MCP server 'cloudwach', which does not exist; did you mean 'cloudwatch'?");
  CHECK(error_of(with_agents("agents: [{name: a, model: fats}]\n")) ==
        "3:27: agent 'a' names model 'fats', which does not exist; did you mean 'fast'?");
  CHECK(
      error_of("models: {default: {provider: openai, model: m}}\nagents: [{name: a, mcp_servers: [x]}]\n") ==
      "2:34: agent 'a' names MCP server 'x', which does not exist; there are no MCP servers in this file");
}

TEST_CASE("a handoff to itself, or twice to one agent, is an error") {
  CHECK(error_of(with_agents("agents: [{name: a, handoffs: [a]}]\n")) ==
        "3:31: agent 'a' hands off to itself; name another agent");
  CHECK(error_of(with_agents("agents: [{name: a, handoffs: [b, b]}, {name: b}]\n")) ==
        "3:34: agent 'a' names handoff 'b' twice; name it once");
}

TEST_CASE("handoffs whose tools would have one name are an error") {
  CHECK(error_of(with_agents("agents: [{name: a, handoffs: [B C, b-c]}, {name: B C}, {name: b-c}]\n")) ==
        "3:36: the handoff 'B C' and the handoff 'b-c' are one tool to the model (transfer_to_b_c); give one "
        "of "
        "them another 'tool_name'");
  CHECK(error_of(with_agents("agents: [{name: a, handoffs: [B C]}, {name: B C}, {name: b-c}]\n")).empty());
}

TEST_CASE("an agent without a model needs one called default") {
  CHECK(error_of("agents: [{name: a}]\n") == "1:17: agent 'a' names no model, and no model is called "
                                             "'default'; add a model 'default' under models, or "
                                             "write model: NAME");
  CHECK(error_of("agents: [{name: a}]\nmodels: {gpt: {provider: openai, model: m}}\n") ==
        "1:17: agent 'a' names no model, and no model is called 'default'; rename model 'gpt' to 'default', "
        "or write "
        "model: 'gpt'");
  CHECK(error_of("agents: [{name: a, model: gpt}]\nmodels: {gpt: {provider: openai, model: m}}\n").empty());
}

TEST_CASE("a model or server with errors of its own still counts as defined") {
  CHECK(errors_of("models: {default: {provider: openai, model: 5}}\nmcpServers: {s: {args: []}}\n"
                  "agents: [{name: a, mcp_servers: [s]}]\n")
            .size() == 2);
  CHECK(errors_of("models: []\nmcpServers: []\nagents: [{name: a, mcp_servers: [s]}]\n").size() == 2);
}

TEST_CASE("agents are a list of maps with at least one entry") {
  CHECK(error_of(with_agents("agents: {a: {}}\n")) == "3:9: 'agents' in the agent file is a map; it has to "
                                                      "be a list, each agent with a name: '- name: NAME'");
  CHECK(error_of(with_agents("agents: []\n")).find("3:9: there is no agent") == 0);
  CHECK(error_of(with_agents("")).find("1:1: there is no agent") == 0);
  CHECK(error_of(with_agents("agents: [triage]\n")) ==
        "3:10: agent 1 is a text; it has to be a map of keys and values");
}

TEST_CASE("model settings have ranges") {
  const auto error = [](const std::string& settings) {
    return error_of(with_agents("agents: [{name: a, model_settings: {" + settings + "}}]\n"));
  };
  CHECK(error("temperature: 2.5") ==
        "3:50: 'temperature' in 'model_settings' in agent 'a' is 2.5; it has to be a number from 0 to 2");
  CHECK(error("top_p: 1.1").find("is 1.1; it has to be a number from 0 to 1") != std::string::npos);
  CHECK(error("top_p: .nan").find("is .nan; it has to be a number") != std::string::npos);
  CHECK(error("max_tokens: 0").find("whole number from 1") != std::string::npos);
  CHECK(error("parallel_tool_calls: yes").find("is a text; it has to be true or false") != std::string::npos);
  CHECK(error("reasoning_effort: max").find("is 'max'; known words are 'minimal', 'low', 'medium', 'high'") !=
        std::string::npos);
  CHECK(error("reasoning_summary: consise").find("did you mean 'concise'?") != std::string::npos);
  CHECK(error("thinking_tokens: 1023").find("whole number from 1024 to") != std::string::npos);
  CHECK(error("temprature: 1").find("did you mean 'temperature'?") != std::string::npos);
}
