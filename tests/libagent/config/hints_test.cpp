#include "libagent/run/ledger.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;

namespace {

using strings = std::vector<std::string>;

strings warnings_of(const std::string& text) {
  const auto loaded = read(text);
  INFO(text);
  REQUIRE(errors_of(loaded) == strings{});
  strings all;
  for (const auto& one : loaded.warnings)
    all.push_back(std::to_string(one.line) + ":" + std::to_string(one.column) + ": " + one.message);
  return all;
}

/// Model 'default' stands in line 2, model 'offline' in line 3, the agents from line 5 on.
std::string with_agents(const std::string& model_keys, const std::string& agents, const std::string& blocks) {
  return "models:\n  default: {provider: openai, model: m" + model_keys +
         "}\n  offline: {provider: scripted, rules: [{say: hi}]}\nagents:\n" + agents + blocks;
}

} // namespace

TEST_CASE("a budget for what models answer is hinted at, with the agents that set no bound") {
  const std::string agents =
      "- {name: a}\n- {name: b, model_settings: {max_tokens: 9000}}\n- {name: c, model: offline}\n"
      "- {name: d}\n- {name: t, kind: parallel, members: [a]}\n";
  const auto hint = [](const std::string& place, const std::string& block) {
    return strings{
        place + ": 'budget' in " + block +
        " bounds what models answer, but there is no max_tokens for agent 'a', agent 'd': " +
        std::to_string(ledger::usual_output) +
        " tokens are reserved for each of their answers, and a longer one overshoots; write model_settings: "
        "{max_tokens: N}"};
  };
  CHECK(warnings_of(with_agents("", agents, "limits: {budget: {total_tokens: 90000}}\n")) ==
        hint("10:10", "limits"));
  CHECK(warnings_of(with_agents("", agents, "limits: {budget: {output_tokens: 90000}}\n")) ==
        hint("10:10", "limits"));
  CHECK(warnings_of(with_agents("", agents, "sessions: {budget: {total_tokens: 1}}\n")) ==
        hint("10:12", "sessions"));
  const auto cost = "limits: {budget: {cost: 1}}\n";
  CHECK(warnings_of(with_agents(", price: {input: 1, output: 2}", agents, cost)) == hint("10:10", "limits"));
  CHECK(warnings_of(with_agents("", agents, cost)) == strings{});
  CHECK(warnings_of(with_agents("", agents, "limits: {budget: {turns: 3, input_tokens: 5}}\n")) == strings{});
}

TEST_CASE("many agents without a bound are told as some") {
  std::string agents;
  for (const auto* name : {"a", "b", "c", "d", "e", "f"})
    agents += std::string{"- {name: "} + name + "}\n";
  const auto told = warnings_of(with_agents("", agents, "limits: {budget: {output_tokens: 5}}\n"));
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("agent 'd', agent 'e' and others: ") != std::string::npos);
}

TEST_CASE("fallbacks of a fallback that are not asked are hinted at") {
  const auto with_fallbacks = [](const std::string& own) {
    return "agents: [{name: a}]\nmodels:\n  default: {provider: openai, model: m, fallbacks: " + own +
           "}\n  one: {provider: openai, model: m, fallbacks: [two, three]}\n"
           "  two: {provider: openai, model: m, fallbacks: [three]}\n  three: {provider: openai, model: m}\n";
  };
  const auto told = warnings_of(with_fallbacks("[one, two]"));
  REQUIRE(told.size() == 2);
  CHECK(told[0] ==
        "3:53: model 'default' does not ask the fallbacks of its fallback 'one'; add 'three' to its own "
        "'fallbacks' if they are to be asked");
  CHECK(told[1].find("3:58: model 'default' does not ask the fallbacks of its fallback 'two'; add 'three'") ==
        0);
  CHECK(warnings_of(with_fallbacks("[one, two, three]")) == strings{});
}

TEST_CASE("hints are no problems of a configuration that was made in code") {
  auto made = configuration{};
  auto endpoint = endpoint_options{};
  endpoint.wire.model = "m";
  made.models = {{"default", endpoint}};
  made.agents.resize(1);
  made.agents[0].name = "a";
  made.limits.spending.output_tokens = 5;
  CHECK(check(made).empty());
}
