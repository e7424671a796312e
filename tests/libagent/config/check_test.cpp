#include "libagent/config/config.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;

namespace {

configuration in_code() {
  auto made = configuration{};
  auto endpoint = endpoint_options{};
  endpoint.wire.model = "m";
  made.models.push_back({"default", endpoint});
  made.mcp_servers.push_back({});
  made.mcp_servers[0].name = "s";
  made.mcp_servers[0].command = "x";
  made.agents.resize(2);
  made.agents[0].name = "a";
  made.agents[0].handoffs = {"b"};
  made.agents[0].mcp_servers = {"s"};
  made.agents[1].name = "b";
  return made;
}

std::string only_problem(const configuration& value) {
  const auto problems = check(value);
  REQUIRE(problems.size() == 1);
  return problems[0];
}

} // namespace

TEST_CASE("a configuration built in code passes when its references are right") {
  CHECK(check(in_code()).empty());
}

TEST_CASE("wrong references and names of a configuration built in code are told") {
  auto value = in_code();
  SECTION("a handoff to nobody") {
    value.agents[1].handoffs = {"c"};
    CHECK(only_problem(value) == "agent 'b' hands off to 'c', which does not exist; agents are 'a', 'b'");
  }
  SECTION("a handoff twice") {
    value.agents[0].handoffs = {"b", "b"};
    CHECK(only_problem(value) == "agent 'a' names handoff 'b' twice; name it once");
  }
  SECTION("an unknown server") {
    value.agents[1].mcp_servers = {"t1"};
    CHECK(only_problem(value) ==
          "agent 'b' names MCP server 't1', which does not exist; MCP servers are 's'");
  }
  SECTION("an unknown model") {
    value.agents[1].model = "defualt";
    CHECK(only_problem(value) ==
          "agent 'b' names model 'defualt', which does not exist; did you mean 'default'?");
  }
  SECTION("a duplicate agent") {
    value.agents[1].name = "a";
    value.agents[0].handoffs = {};
    CHECK(only_problem(value) == "duplicate name 'a' in agents; each name has to be unique");
  }
  SECTION("an empty name") {
    value.agents.push_back({});
    CHECK(only_problem(value) == "a name is empty; give it at least one character");
  }
  SECTION("a server without a command") {
    value.mcp_servers[0].command.clear();
    CHECK(only_problem(value) == "MCP server 's' has no command; give it one");
  }
  SECTION("a model without the endpoint's name of it") {
    std::get<endpoint_options>(value.models[0].provider).wire.model.clear();
    CHECK(only_problem(value) ==
          "model 'default' has no wire.model; give it the endpoint's name of the model");
  }
  SECTION("a scripted handoff to nobody") {
    auto script = scripted::script{};
    script.rules.push_back({{}, std::nullopt, {}, "c"});
    value.models.push_back({"script", script});
    CHECK(only_problem(value) ==
          "rule 1 of model 'script' hands off to 'c', which does not exist; agents are 'a', 'b'");
  }
  SECTION("an unknown guardrail") {
    value.agents[0].tool_policies["*"].input_guardrails = {"g"};
    CHECK(only_problem(value) ==
          "tool '*' in agent 'a' names guardrail 'g', which does not exist; there are no "
          "guardrails in this file");
  }
  SECTION("a judge without its model") {
    value.guardrails.push_back({"g", guardrail_options::judge{{}, "gpt"}});
    CHECK(only_problem(value) ==
          "guardrail 'g' names model 'gpt', which does not exist; models are 'default'");
  }
  SECTION("a fallback that leads back") {
    value.models.push_back({"other", value.models[0].provider, {"default"}});
    value.models[0].fallbacks = {"other"};
    CHECK(only_problem(value) ==
          "the fallbacks of models 'default', 'other' lead in a circle; take one of them out");
  }
  SECTION("a hook for nobody, at no point") {
    auto hook = hook_options{};
    hook.url = "http://h";
    hook.points = {"before_tool", "before_tols"};
    value.hooks = {hook};
    CHECK(only_problem(value) ==
          "hook 1 is for 'before_tols', which is no point of a run; did you mean 'before_tool'?");
    value.hooks[0].points = {};
    value.hooks[0].agents = {"c"};
    CHECK(only_problem(value) == "hook 1 is for agent 'c', which does not exist; agents are 'a', 'b'");
    value.hooks[0] = {};
    CHECK(only_problem(value) == "hook 1 has no url; give it one");
  }
  SECTION("tools of one name") {
    value.agents[0].agent_tools = {{"b", "transfer_to_b", ""}};
    CHECK(only_problem(value) == "the handoff 'b' and the agent tool 'b' are one tool to the model "
                                 "(transfer_to_b); give one of them another 'tool_name'");
  }
  SECTION("teams") {
    auto& team = value.agents[1];
    team.members.members = {"a"};
    CHECK(only_problem(value) ==
          "agent 'b' has members, but asks a model; make its kind parallel, sequential or loop");
    team.kind = agent_kind::loop;
    CHECK(check(value).empty());
    team.members.max_rounds = 0;
    CHECK(only_problem(value) == "agent 'b' has max_rounds 0; it has to be from 1 to 1000");
    team.members = {};
    CHECK(only_problem(value) == "agent 'b' is a team without members; write members: [AGENT, ...]");
    team.kind = agent_kind::parallel;
    team.members.members = {"b"};
    CHECK(only_problem(value) == "agent 'b' is its own member; name another agent");
    team.members.members = {"a"};
    team.members.judge = "a";
    team.members.join = [](const json&) { return result<std::string>{""}; };
    CHECK(only_problem(value) == "agent 'b' has both a join and a judge; give it one of them");
  }
  SECTION("no agent at all") {
    value.agents.clear();
    CHECK(only_problem(value) == "there is no agent; add one under agents, such as '- name: assistant'");
  }
}
