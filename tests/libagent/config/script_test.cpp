#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>
#include <re2/re2.h>

using namespace troupe;
using namespace troupe::config;

namespace {

std::string with_rules(const std::string& rules) {
  return "agents: [{name: a, handoffs: [b]}, {name: b}]\nmodels:\n  default:\n    provider: scripted\n    "
         "rules:\n" +
         rules;
}

} // namespace

TEST_CASE("the rules of a scripted model are read") {
  const auto loaded = read(with_rules(R"yaml(
      - when: {agent: a, user: "(?i)memory"}
        handoff: b
      - when: {user: "add (\\d+) and (\\d+)"}
        say: Adding.
        call: {tool: sum, arguments: {a: "{{1}}", b: 2, c: [true, null, 1.5, "0x10", 0x10, x]}}
      - when: {tool: "*", output: "error"}
        say: "It failed: {{output}}"
      - call: [{tool: one}, {tool: two}]
    delay: 20ms
)yaml"));
  REQUIRE(errors_of(loaded).empty());
  const auto& script = std::get<scripted::script>(loaded.value->models[0].provider);
  CHECK(script.delay.count() == 20);
  REQUIRE(script.rules.size() == 4);
  CHECK(script.rules[0].when.agent == "a");
  CHECK(re2::RE2::PartialMatch("Free MEMORY?", *script.rules[0].when.user));
  CHECK(script.rules[0].handoff == "b");
  CHECK(script.rules[1].say == "Adding.");
  REQUIRE(script.rules[1].calls.size() == 1);
  CHECK(script.rules[1].calls[0].tool == "sum");
  CHECK(script.rules[1].calls[0].arguments ==
        json::parse(R"({"a":"{{1}}","b":2,"c":[true,null,1.5,"0x10",16,"x"]})"));
  CHECK(script.rules[2].when.tool == "*");
  CHECK(script.rules[2].when.output);
  CHECK(script.rules[3].calls.size() == 2);
  CHECK(script.rules[3].calls[1].arguments == json::object());
}

TEST_CASE("a rule does one thing") {
  CHECK(error_of(with_rules("    - when: {agent: a}\n")) ==
        "6:7: rule 1 of model 'default' does nothing; give it say, call or handoff");
  CHECK(error_of(with_rules("    - {handoff: b, say: x}\n")).find("has a handoff beside say or call") !=
        std::string::npos);
  CHECK(error_of(with_rules("    - {call: []}\n")).find("is an empty list") != std::string::npos);
  CHECK(error_of(with_rules("    []\n")).find("'rules' in model 'default' is an empty list") !=
        std::string::npos);
  CHECK(error_of("agents: [{name: a}]\nmodels: {default: {provider: scripted}}\n") ==
        "2:10: model 'default' has no 'rules'; write rules: [{say: Hello}]");
}

TEST_CASE("patterns and templates of rules are checked where they stand") {
  CHECK(error_of(with_rules("    - {when: {user: \"a(b\"}, say: \"{{1}}\"}\n"))
            .find("6:21: 'user' in 'when' in rule 1 of model 'default' is wrong: not a regular expression") ==
        0);
  CHECK(error_of(with_rules("    - {say: \"{{1}}\"}\n"))
            .find("6:13: 'say' in rule 1 of model 'default' is wrong") == 0);
  CHECK(error_of(with_rules("    - {when: {user: (x)}, call: {tool: t, arguments: {a: [{b: \"{{2}}\"}]}}}\n"))
            .find("6:54: 'arguments' in 'call' in rule 1 of model 'default' is wrong") == 0);
  CHECK(error_of(with_rules("    - {call: {tool: t, arguments: [x]}}\n"))
            .find("it has to be a map of the tool's") != std::string::npos);
  CHECK(error_of(with_rules("    - {call: {tool: t, arguments: {x: .nan}}}\n")).find("JSON cannot hold") !=
        std::string::npos);
  CHECK(error_of(with_rules("    - {call: {arguments: {}}}\n")).find("has no 'tool'") != std::string::npos);
  CHECK(error_of(with_rules("    - {wen: {}, say: x}\n"))
            .find("unknown key 'wen' in rule 1 of model 'default'; did you mean 'when'?") !=
        std::string::npos);
}

TEST_CASE("rules refer to agents that exist and may hand off") {
  CHECK(error_of(with_rules("    - {handoff: c}\n")) ==
        "6:17: rule 1 of model 'default' hands off to 'c', which does not exist; agents are 'a', 'b'");
  CHECK(error_of(with_rules("    - {when: {agent: c}, say: x}\n")) ==
        "6:22: rule 1 of model 'default' is for agent 'c', which does not exist; agents are 'a', 'b'");
  CHECK(error_of(with_rules("    - {handoff: a}\n")) ==
        "6:17: rule 1 of model 'default' hands off to 'a', which is no handoff of any agent; add it to the "
        "handoffs of "
        "the agent that asks");
  CHECK(error_of(with_rules("    - {handoff: b}\n")).empty());
  CHECK(error_of(with_rules("    - {when: {agent: b}, handoff: a}\n")) ==
        "6:35: rule 1 of model 'default' hands off to 'a', which is no handoff of agent 'b'; add it to that "
        "agent's "
        "handoffs");
  CHECK(error_of(with_rules("    - {when: {agent: a}, handoff: b}\n")).empty());
}
