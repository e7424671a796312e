#include "libagent/core/json.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;

namespace {

/// The keys of team 't' stand in line 2, from column 20 on; 'a' and 'b' are other agents.
std::string with_team(const std::string& keys) {
  return "models: {default: {provider: openai, model: m}}\nagents: [{name: t, " + keys +
         "}, {name: a}, {name: b}]\n";
}

agent_definition team_of(const std::string& keys) {
  const auto loaded = read(with_team(keys));
  INFO(keys);
  REQUIRE(errors_of(loaded).empty());
  return loaded.value->agents[0];
}

} // namespace

TEST_CASE("a parallel team joins by a template, by a judge, or by headings") {
  const auto plain = team_of("kind: parallel, members: [a, b]");
  CHECK(plain.kind == agent_kind::parallel);
  CHECK(plain.members.members == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(plain.members.join);
  CHECK(plain.members.judge.empty());
  const auto joined =
      team_of("kind: parallel, members: [a, b], join: {template: \"{{outputs.a}}+{{input}}\"}");
  REQUIRE(joined.members.join);
  CHECK(*joined.members.join({{"outputs", {{"a", "x"}}}, {"input", "y"}}) == "x+y");
  CHECK(team_of("kind: parallel, members: [a], join: {judge: b}").members.judge == "b");
}

TEST_CASE("a loop has a condition and a bound") {
  const auto loop = team_of("kind: loop, members: [a, b], until: \"output contains 'DONE' or round >= 3\", "
                            "max_rounds: 1000");
  CHECK(loop.kind == agent_kind::loop);
  CHECK(loop.members.max_rounds == 1000);
  CHECK(*holds(loop.members.until, {{"output", "DONE"}, {"round", 1}}));
  CHECK_FALSE(*holds(loop.members.until, {{"output", ""}, {"round", 2}}));
  CHECK(team_of("kind: loop, members: [a]").members.max_rounds == 5);
}

TEST_CASE("a sequence may ask an agent twice") {
  const auto team = team_of("kind: sequential, members: [a, b, a]");
  CHECK(team.kind == agent_kind::sequential);
  CHECK(team.members.members == std::vector<std::string>{"a", "b", "a"});
}

TEST_CASE("an agent asks a model unless it says otherwise") {
  CHECK(team_of("description: d").kind == agent_kind::model);
  CHECK(team_of("kind: model").kind == agent_kind::model);
}

TEST_CASE("a team needs no model, but may have guardrails") {
  const auto loaded = read("models: {m: {provider: openai, model: m}}\nguardrails: {g: {type: pii}}\n"
                           "agents: [{name: t, kind: parallel, members: [a], input_guardrails: [g], "
                           "output_guardrails: [g]}, {name: a, model: m}]\n");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->agents[0].input_guardrails.size() == 1);
}

TEST_CASE("what is wrong with a team is told") {
  const std::vector<mistake> mistakes = {
      {"kind: paralel", "2:26: 'kind' in agent 't' is 'paralel'; did you mean 'parallel'?"},
      {"kind: parallel", "2:17: agent 't' is a team without members; write members: [AGENT, ...]"},
      {"kind: loop, members: []", "2:41: agent 't' is a team without members; write members: [AGENT, ...]"},
      {"kind: loop, members: a",
       "2:41: 'members' in agent 't' is a text; it has to be a list, such as [one, another]"},
      {"kind: loop, members: [5]",
       "2:42: entry 1 of 'members' in agent 't' is a number; it has to be a text: put it in quotes"},
      {"kind: loop, members: [c]",
       "2:42: agent 't' names member 'c', which does not exist; agents are 't', 'a', 'b'"},
      {"kind: loop, members: [t]", "2:42: agent 't' is its own member; name another agent"},
      {"kind: parallel, members: [a, b, a]", "2:52: agent 't' names member 'a' twice; name it once"},
      {"kind: parallel, members: [a], join: {judge: t}",
       "2:64: agent 't' is its own judge; name another agent"},
      {"kind: parallel, members: [a], join: {judge: c}",
       "2:64: agent 't' names judge 'c', which does not exist; agents are 't', 'a', 'b'"},
      {"kind: parallel, members: [a], join: {judge: b, template: x}",
       "2:67: 'template' in 'join' in agent 't' stands beside 'judge'; give it one of them"},
      {"kind: parallel, members: [a], join: {}",
       "2:56: 'join' in agent 't' is empty; give it a template or a judge"},
      {"kind: parallel, members: [a], join: {template: \"{{arguments}}\"}",
       "2:67: 'template' in 'join' in agent 't' asks for 'arguments', which is not known here; known names "
       "are "
       "'context', 'agent', 'input', 'output', 'outputs', 'round'"},
      {"kind: parallel, members: [alice, a], join: {template: \"{{input}} {{outputs.alise}} {{{{outputs.x\"}",
       "2:46: agent 't' names member 'alice', which does not exist; agents are 't', 'a', 'b'\n2:74: "
       "'template' in "
       "'join' in agent 't' asks for the output of 'alise', which is no member of agent 't'; did you mean "
       "'alice'?"},
      {"join: {template: \"{{outputs['a'] | default '}}'}} {{outputs.c.text}}\"}, kind: parallel, members: "
       "[a, b]",
       "2:37: 'template' in 'join' in agent 't' asks for the output of 'c', which is no member of agent 't'; "
       "members "
       "are 'a', 'b'"},
      {"kind: loop, members: [a], until: \"outputs.a == 'x' or not (outputs.bb contains 'y')\"",
       "2:53: 'until' in agent 't' asks for the output of 'bb', which is no member of agent 't'; members are "
       "'a'"},
      {"kind: loop, members: [a, 5], until: \"outputs.bb == 'y'\"",
       "2:45: entry 2 of 'members' in agent 't' is a number; it has to be a text: put it in quotes"},
      {"kind: loop, members: [a], max_rounds: 1001",
       "2:58: 'max_rounds' in agent 't' is 1001; it has to be a whole number from 1 to 1000"},
      {"kind: loop, members: [a], until: \"rounds > 1\"",
       "2:53: 'until' in agent 't' asks for 'rounds', which is not known here; did you mean 'round'?"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_team(written)) == message);
  }
}

TEST_CASE("keys that mean nothing for a kind are told") {
  const auto refused = [](const std::string& kind, const std::string& key, const std::string& value) {
    INFO(kind << " " << key);
    const auto members = kind == "model" ? "" : ", members: [a]";
    return error_of(with_team("kind: " + kind + members + ", " + key + ": " + value));
  };
  const std::vector<mistake> for_models = {
      {"model", "default"},        {"model_settings", "{top_p: 1}"}, {"instructions", "x"},
      {"handoffs", "[b]"},         {"agent_tools", "[b]"},           {"tools", "{}"},
      {"mcp_servers", "[]"},       {"tool_input_guardrails", "[]"},  {"tool_output_guardrails", "[]"},
      {"reset_tool_choice", "on"}, {"tool_use_behavior", "{}"},      {"output_name", "n"},
      {"output_schema", "{}"},
  };
  for (const auto& kind : {"parallel", "sequential", "loop"})
    for (const auto& [key, value] : for_models)
      CHECK(refused(kind, key, value)
                .find("'" + key +
                      "' in agent 't' is for agents that ask a model; remove it, or give it to a member") !=
            std::string::npos);
  CHECK(refused("model", "members", "[a]") ==
        "2:33: 'members' in agent 't' is for teams; write kind: parallel, sequential or loop");
  for (const auto& kind : {"model", "sequential", "loop"})
    CHECK(refused(kind, "join", "{judge: b}").find("'join' in agent 't' is for parallel teams") !=
          std::string::npos);
  for (const auto& kind : {"model", "sequential", "parallel"}) {
    CHECK(refused(kind, "until", "round > 1").find("'until' in agent 't' is for loops") != std::string::npos);
    CHECK(refused(kind, "max_rounds", "1").find("'max_rounds' in agent 't' is for loops") !=
          std::string::npos);
  }
}

TEST_CASE("teams that are members of each other are an error") {
  CHECK(error_of(
            "models: {default: {provider: openai, model: m}}\n"
            "agents:\n- {name: t, kind: loop, members: [u]}\n- {name: u, kind: parallel, members: [a], join: "
            "{judge: t}}\n- {name: a}\n") ==
        "4:57: agents 't', 'u' lead in a circle as members and tools of each other; take one of them out");
}
