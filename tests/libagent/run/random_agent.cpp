#include "tests/libagent/run/random_agent.hpp"

#include <fmt/format.h>

namespace troupe::run::testing {

namespace {

output_schema number_output() {
  static const auto made = make_output_schema(
      "answer",
      json_schema::compile(
          json::parse(R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"))
          .value());
  return made;
}

} // namespace

const agent_ptr& helper() {
  static const auto made = make_agent("helper", [](auto& a) { a.tool_policies["a"].approval.needed = true; });
  return made;
}

agent_ptr random_agent(chance& luck, const std::string& name) {
  return make_agent(name, [&](auto& a) {
    a.tool_policies["a"].approval.needed = luck.in(30);
    a.tool_policies["b"].fails_run = luck.in(30);
    if (luck.in(20))
      a.tool_policies["b"].output_guardrails = {"own"};
    a.agent_tools = {{"helper", "", ""}};
    handoff_definition to(name == "m" ? "ops" : "m");
    to.approval.needed = luck.in(30);
    to.filter.what =
        luck.any_of({input_filter::kind::keep_all, input_filter::kind::drop_tools, input_filter::kind::last});
    to.filter.count = luck.below(5);
    to.nest_history = luck.in(20);
    a.handoffs = {to};
    for (auto* uses :
         {&a.input_guardrails, &a.output_guardrails, &a.tool_input_guardrails, &a.tool_output_guardrails})
      while (luck.in(25))
        uses->push_back({fmt::format("g{}", uses->size()), luck.in(50)});
    a.tool_use_behavior.what =
        luck.any_of({stop_rule::kind::run_llm_again, stop_rule::kind::run_llm_again,
                     stop_rule::kind::stop_on_first_tool, stop_rule::kind::stop_at_tools});
    a.tool_use_behavior.tools = {"c"};
    if (luck.in(25))
      a.output = number_output();
    if (name == "m" && luck.in(20)) {
      a.kind = luck.any_of({agent_kind::parallel, agent_kind::sequential, agent_kind::loop});
      a.members.members = {"helper", "helper", "helper"};
      a.members.judge = luck.in(50) && a.kind == agent_kind::parallel ? "helper" : "";
      a.members.max_rounds = 2;
    }
  });
}

} // namespace troupe::run::testing
