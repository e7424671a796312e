#include "libagent/core/json.hpp"
#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;

namespace {

/// A condition in its place begins in line 2, column 48; so does a template.
std::string with_condition(const std::string& text) {
  return "models: {default: {provider: openai, model: m}}\nagents: [{name: a, handoffs: [{agent: b, "
         "enabled: " +
         text + "}]}, {name: b}]\n";
}

std::string with_template(const std::string& text) {
  return "models: {default: {provider: openai, model: m}}\nagents: [{name: a, instructions: {template: " +
         text + "}}]\n";
}

std::string with_approval(const std::string& text) {
  return minimal + "mcpServers: {s: {command: x, approval: " + text + "}}\n";
}

approval_rule approval_of(const std::string& text) {
  const auto loaded = read(with_approval(text));
  REQUIRE(errors_of(loaded).empty());
  return loaded.value->mcp_servers[0].approval;
}

} // namespace

TEST_CASE("an expression is compiled into a condition") {
  const auto loaded = read(with_condition("\"context.tier == 'gold' and input contains 'now'\""));
  REQUIRE(errors_of(loaded).empty());
  const auto& enabled = loaded.value->agents[0].handoffs[0].enabled;
  CHECK(*holds(enabled, {{"context", {{"tier", "gold"}}}, {"agent", "a"}, {"input", "do it now"}}));
  CHECK_FALSE(*holds(enabled, {{"context", {{"tier", "tin"}}}, {"agent", "a"}, {"input", "do it now"}}));
}

TEST_CASE("a boolean is an expression too") {
  const auto loaded = read(with_condition("false"));
  REQUIRE(errors_of(loaded).empty());
  CHECK_FALSE(*holds(loaded.value->agents[0].handoffs[0].enabled, json::object()));
}

TEST_CASE("what is wrong with an expression is told at its place, with the column in the text") {
  const std::string what = "2:51: 'enabled' in entry 1 of 'handoffs' in agent 'a' ";
  const std::vector<mistake> mistakes = {
      {"\"contxt.tier == 1\"", "asks for 'contxt', which is not known here; did you mean 'context'?"},
      {"\"arguments.x == 1\"",
       "asks for 'arguments', which is not known here; known names are 'context', 'agent', 'input'"},
      {"\"'yes'\"", "is wrong: the condition is neither true nor false but a value of type string; write an "
                    "expression such as context.tier == 'gold'"},
      {"5", "is wrong: the condition is neither true nor false but a value of type number; write an "
            "expression such as context.tier == 'gold'"},
      {"[a]", "is a list; it has to be an expression such as context.tier == 'gold'"},
      {"\"\"", "is an empty text; it has to be an expression such as context.tier == 'gold'"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_condition(written)) == what + message);
  }
  CHECK(error_of(with_condition("\"context.a == == 1\"")).find(what + "is wrong: column 14: ") == 0);
  CHECK(error_of(with_condition("\"input matches '('\"")).find(what + "is wrong: column 15: ") == 0);
}

TEST_CASE("a template is compiled into instructions") {
  const auto loaded = read(with_template("\"You help {{context.user | default 'people'}}.\""));
  REQUIRE(errors_of(loaded).empty());
  const auto& agent = loaded.value->agents[0];
  CHECK(agent.instructions.empty());
  REQUIRE(agent.instructions_source);
  CHECK(*agent.instructions_source({{"context", {{"user", "Ada"}}}}) == "You help Ada.");
  CHECK(*agent.instructions_source(json::object()) == "You help people.");
}

TEST_CASE("plain instructions stay as they are, braces or not") {
  const auto loaded = read("models: {default: {provider: openai, model: m}}\n"
                           "agents: [{name: a, instructions: \"{{context.user}} {{\"}]\n");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->agents[0].instructions == "{{context.user}} {{");
  CHECK_FALSE(loaded.value->agents[0].instructions_source);
}

TEST_CASE("what is wrong with a template is told at its place") {
  const std::string what = "2:45: 'template' in 'instructions' in agent 'a' ";
  CHECK(error_of(with_template("\"{{output}}\"")) ==
        what + "asks for 'output', which is not known here; known names are 'context', 'agent', 'input'");
  CHECK(error_of(with_template("\"a {{context\"")).find(what + "is wrong: column 12: ") == 0);
  CHECK(error_of(with_template("5")) == what + "is a number; it has to be a text: put it in quotes");
  CHECK(
      error_of("models: {default: {provider: openai, model: m}}\nagents: [{name: a, instructions: [x]}]\n") ==
      "2:34: 'instructions' in agent 'a' is a list; it has to be a text, or a map such as {template: 'You "
      "help "
      "{{context.user}}.'}");
  CHECK(
      error_of("models: {default: {provider: openai, model: m}}\nagents: [{name: a, instructions: {}}]\n") ==
      "2:20: 'instructions' in agent 'a' has no 'template'; write template: TEXT");
}

TEST_CASE("an approval is needed always, never, or when an expression says so") {
  CHECK(approval_of("always").needed);
  CHECK_FALSE(approval_of("always").when);
  CHECK_FALSE(approval_of("never").needed);
  const auto rule = approval_of("{when: \"tool == 'pay' and arguments.amount > 100\"}");
  CHECK(rule.needed);
  CHECK(*holds(rule.when, {{"tool", "pay"}, {"arguments", {{"amount", 101}}}}));
  CHECK_FALSE(*holds(rule.when, {{"tool", "pay"}, {"arguments", {{"amount", 100}}}}));
}

TEST_CASE("what is wrong with an approval is told") {
  const std::vector<mistake> mistakes = {
      {"sometimes", "3:40: 'approval' in MCP server 's' is 'sometimes'; known words are 'always', 'never'"},
      {"alway", "3:40: 'approval' in MCP server 's' is 'alway'; did you mean 'always'?"},
      {"true",
       "3:40: 'approval' in MCP server 's' is a boolean; it has to be always, never, or a map such as "
       "{when: arguments.amount > 100}"},
      {"[always]",
       "3:40: 'approval' in MCP server 's' is a list; it has to be always, never, or a map such as "
       "{when: arguments.amount > 100}"},
      {"{}",
       "3:30: 'approval' in MCP server 's' has no 'when'; write when: EXPRESSION, or always or never in "
       "place of the map"},
      {"{always: true}",
       "3:30: 'approval' in MCP server 's' has no 'when'; write when: EXPRESSION, or always or never in "
       "place of "
       "the map\n3:41: unknown key 'always' in 'approval' in MCP server 's'; known keys are 'when'"},
      {"{when: \"output == 1\"}",
       "3:47: 'when' in 'approval' in MCP server 's' asks for 'output', which is "
       "not known here; known names are 'context', 'agent', 'input', 'tool', 'arguments'"},
  };
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_approval(written)) == message);
  }
}
