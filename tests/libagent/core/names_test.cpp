#include "libagent/core/agent.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("handoff tools are named after the agent in lower case with safe characters") {
  CHECK(handoff_tool_name("CloudWatch") == "transfer_to_cloudwatch");
  CHECK(handoff_tool_name("a b-c.d") == "transfer_to_a_b_c_d");
  CHECK(handoff_tool_name("\xC3\xBC") == "transfer_to___");
}

TEST_CASE("a handoff's description ends in the agent's own") {
  agent_definition agent;
  agent.name = "cloudwatch";
  CHECK(handoff_tool_description(agent) == "Handoff to the cloudwatch agent to handle the request. ");
  agent.description = "Questions about AWS";
  CHECK(handoff_tool_description(agent) ==
        "Handoff to the cloudwatch agent to handle the request. Questions about AWS");
}

TEST_CASE("safe tool names keep to what endpoints accept and stay different when cut") {
  CHECK(safe_tool_name("get-sum_1") == "get-sum_1");
  CHECK(safe_tool_name("a.b/c") == "a_b_c");
  CHECK(safe_tool_name("") == "_");
  const auto one = safe_tool_name(std::string(100, 'x') + "1");
  const auto two = safe_tool_name(std::string(100, 'x') + "2");
  CHECK(one.size() == 64);
  CHECK(one != two);
}
