#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>
#include <re2/re2.h>

using namespace troupe;
using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

using guardrail::action;
using guardrail::entity;

/// The guardrail stands in line 3 and is called 'g'.
std::string with_guardrail(const std::string& body) {
  return minimal + "guardrails: {g: " + body + "}\n";
}

guardrail_options guardrail_of(const std::string& body) {
  const auto loaded = read(with_guardrail(body));
  INFO(body);
  REQUIRE(errors_of(loaded).empty());
  REQUIRE(loaded.value->guardrails.size() == 1);
  CHECK(loaded.value->guardrails[0].name == "g");
  return loaded.value->guardrails[0];
}

template <class Rule>
Rule rule_of(const std::string& body) {
  return std::get<Rule>(std::get<guardrail::builtin>(guardrail_of(body).check));
}

void check_mistakes(const std::vector<mistake>& mistakes) {
  for (const auto& [written, message] : mistakes) {
    INFO(written);
    CHECK(error_of(with_guardrail(written)) == message);
  }
}

/// An agent that uses guardrail g in the given way, in line 4.
load_result used(const std::string& body, const std::string& use) {
  return read("models: {default: {provider: openai, model: m}}\nguardrails:\n  g: " + body +
              "\nagents: [{name: a, input_guardrails: [" + use + "]}]\n");
}

} // namespace

TEST_CASE("all keys of a pattern guardrail are read") {
  using rule = guardrail::pattern_rule;
  const auto one = rule_of<rule>("{type: pattern, pattern: '(?i)secret', message: No.}");
  REQUIRE(one.patterns.size() == 1);
  CHECK(re2::RE2::PartialMatch("a SECRET", *one.patterns[0]));
  CHECK(one.on_match == action::trip);
  CHECK_FALSE(one.must_match);
  CHECK(one.message == "No.");
  const auto several =
      rule_of<rule>("{type: pattern, patterns: [a, 'b+'], must_match: true, action: reject}");
  CHECK(several.patterns.size() == 2);
  CHECK(several.must_match);
  CHECK(several.on_match == action::reject);
  const auto rewriting = rule_of<rule>("{type: pattern, pattern: a, action: rewrite, replacement: '***'}");
  CHECK(rewriting.on_match == action::rewrite);
  CHECK(rewriting.replacement == "***");
  CHECK(rule_of<rule>("{type: pattern, pattern: a, action: rewrite}").replacement.empty());
  CHECK(rule_of<rule>("{type: pattern, pattern: a, must_match: true, action: rewrite, replacement: ''}")
            .replacement.empty());
}

TEST_CASE("what is wrong with a pattern guardrail is told") {
  check_mistakes({
      {"{type: pattern}",
       "3:14: guardrail 'g' has no 'pattern'; write pattern: REGULAR EXPRESSION, or patterns: [...]"},
      {"{type: pattern, pattern: 'a(b'}",
       "3:42: 'pattern' in guardrail 'g' is wrong: not a regular expression of "
       "RE2: missing ): a(b; write a regular expression of RE2"},
      {"{type: pattern, pattern: a, patterns: [b]}",
       "3:45: 'patterns' in guardrail 'g' stands beside 'pattern'; put all of them under 'patterns'"},
      {"{type: pattern, patterns: [a, '[']}", "3:47: entry 2 of 'patterns' in guardrail 'g' is wrong: not a "
                                              "regular expression of RE2: missing ]: [; "
                                              "write a regular expression of RE2"},
      {"{type: pattern, patterns: []}",
       "3:43: 'patterns' in guardrail 'g' is an empty list; give it a regular "
       "expression"},
      {"{type: pattern, pattern: a, replacement: b}",
       "3:45: 'replacement' in guardrail 'g' is for action: rewrite; remove it"},
      {"{type: pattern, pattern: a, must_match: true, action: rewrite}",
       "3:14: guardrail 'g' has no 'replacement'; write replacement: TEXT, which stands for the whole text "
       "with must_match: true"},
      {"{type: pattern, pattern: a, action: mask}",
       "3:53: 'action' in guardrail 'g' is 'mask'; known words are 'trip', 'reject', 'rewrite'"},
      {"{type: pattern, pattern: a, timeout: 5s}",
       "3:45: 'timeout' in guardrail 'g' is for type: judge; remove it"},
  });
}

TEST_CASE("all keys of a length guardrail are read, and one bound is enough") {
  using rule = guardrail::length_rule;
  const auto both = rule_of<rule>("{type: length, min: 2, max: 10, action: rewrite, message: M}");
  CHECK(both.min == 2);
  CHECK(both.max == 10);
  CHECK(both.on_break == action::rewrite);
  CHECK(both.message == "M");
  CHECK(rule_of<rule>("{type: length, max: 0}").max == 0);
  CHECK(rule_of<rule>("{type: length, min: 1}").max == rule{}.max);
  check_mistakes({
      {"{type: length}", "3:14: guardrail 'g' has no 'max'; write max: CHARACTERS, or min: CHARACTERS"},
      {"{type: length, min: 3, max: 2}",
       "3:45: 'max' in guardrail 'g' is less than 'min'; make it at least as large"},
      {"{type: length, max: -1}",
       "3:37: 'max' in guardrail 'g' is -1; it has to be a whole number from 0 to 1000000000"},
  });
}

TEST_CASE("a PII guardrail masks all entities unless told otherwise") {
  using rule = guardrail::pii_rule;
  CHECK(rule_of<rule>("{type: pii}").on_find == action::rewrite);
  CHECK(rule_of<rule>("{type: pii}").entities.size() == 5);
  const auto some = rule_of<rule>("{type: pii, entities: [card, iban, card], action: trip, message: M}");
  CHECK(some.entities == std::set<entity>{entity::card, entity::iban});
  CHECK(some.on_find == action::trip);
  CHECK(some.message == "M");
  check_mistakes({
      {"{type: pii, entities: [mail]}",
       "3:40: entry 1 of 'entities' in guardrail 'g' is 'mail'; did you mean 'email'?"},
      {"{type: pii, entities: []}",
       "3:39: 'entities' in guardrail 'g' is an empty list; leave it off for all of them"},
      {"{type: pii, entities: card}",
       "3:39: 'entities' in guardrail 'g' is a text; it has to be a list, such as [email, card]"},
      {"{type: pii, action: rewrite}",
       "3:37: 'action' in guardrail 'g' is 'rewrite'; known words are 'mask', 'reject', 'trip'"},
  });
}

TEST_CASE("all keys of a judge are read") {
  const auto options = guardrail_of("{type: judge, model: default, instructions: Be nice., action: reject, "
                                    "message: M, timeout: 9s}");
  const auto& [rule, model] = std::get<guardrail_options::judge>(options.check);
  CHECK(model == "default");
  CHECK(rule.instructions == "Be nice.");
  CHECK(rule.on_violation == action::reject);
  CHECK(rule.message == "M");
  CHECK(options.timeout == 9s);
  const auto brief = guardrail_of("{type: judge, instructions: I}");
  CHECK(std::get<guardrail_options::judge>(brief.check).second == "default");
  CHECK(brief.timeout == 30s);
  check_mistakes({
      {"{type: judge}",
       "3:14: guardrail 'g' has no 'instructions'; write instructions: TEXT, what is allowed and "
       "what is not"},
      {"{type: judge, instructions: I, model: defalt}",
       "3:55: guardrail 'g' names model 'defalt', which does not exist; did you mean 'default'?"},
      {"{type: judge, instructions: I, action: rewrite}",
       "3:56: 'action' in guardrail 'g' is 'rewrite'; known words are 'trip', 'reject'"},
  });
}

TEST_CASE("a guardrail has a type, and a wrong one does not hide what else is wrong") {
  check_mistakes({
      {"{}", "3:14: guardrail 'g' has no 'type'; write type: pattern, length, pii or judge"},
      {"{type: regex, pattern: '('}",
       "3:24: 'type' in guardrail 'g' is 'regex'; known words are 'pattern', 'length', 'pii', 'judge'\n"
       "3:40: 'pattern' in guardrail 'g' is wrong: not a regular expression of RE2: missing ): (; write a "
       "regular "
       "expression of RE2"},
      {"{type: leng, maxx: 5, max: 6}", "3:24: 'type' in guardrail 'g' is 'leng'; did you mean 'length'?\n"
                                        "3:30: unknown key 'maxx' in guardrail 'g'; did you mean 'max'?"},
      {"pii", "3:17: guardrail 'g' is a text; it has to be a map of keys and values"},
  });
  CHECK(error_of(minimal + "guardrails: [g]\n") ==
        "3:13: 'guardrails' in the agent file is a list; it has to be a map from names to guardrails");
}

TEST_CASE("agents use guardrails in four places and at each tool") {
  const auto loaded = read(R"(
models: {default: {provider: openai, model: m}}
guardrails: {g: {type: pii, action: trip}, h: {type: length, max: 9}}
agents:
  - name: a
    input_guardrails: [g, {name: h, mode: parallel}, {name: g}]
    output_guardrails: [h]
    tool_input_guardrails: [g, h]
    tool_output_guardrails: [g]
    tools: {t: {input_guardrails: [h], output_guardrails: [g, h]}}
)");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.warnings.empty());
  const auto& agent = loaded.value->agents[0];
  REQUIRE(agent.input_guardrails.size() == 3);
  CHECK(agent.input_guardrails[0].name == "g");
  CHECK_FALSE(agent.input_guardrails[0].parallel);
  CHECK(agent.input_guardrails[1].name == "h");
  CHECK(agent.input_guardrails[1].parallel);
  CHECK_FALSE(agent.input_guardrails[2].parallel);
  CHECK(agent.output_guardrails[0].name == "h");
  CHECK(agent.tool_input_guardrails.size() == 2);
  CHECK(agent.tool_output_guardrails[0].name == "g");
  const auto& policy = agent.tool_policies.at("t");
  CHECK(policy.input_guardrails == std::vector<std::string>{"h"});
  CHECK(policy.output_guardrails == std::vector<std::string>{"g", "h"});
}

TEST_CASE("a guardrail that nobody has defined is told wherever it is used") {
  const auto error = [](const std::string& use) {
    return error_of(
        "models: {default: {provider: openai, model: m}}\nguardrails: {pii: {type: pii}}\nagents: "
        "[{name: a, " +
        use + "}]\n");
  };
  CHECK(error("input_guardrails: [pi]") ==
        "3:39: agent 'a' names guardrail 'pi', which does not exist; did you mean 'pii'?");
  CHECK(error("input_guardrails: [{name: none, mode: parallel}]") ==
        "3:46: agent 'a' names guardrail 'none', which does not exist; guardrails are 'pii'");
  for (const auto key : {"output_guardrails", "tool_input_guardrails", "tool_output_guardrails"})
    CHECK(error(std::string{key} + ": [x]").find("agent 'a' names guardrail 'x', which does not exist") !=
          std::string::npos);
  CHECK(error("tools: {t: {output_guardrails: [pii, x]}}") ==
        "3:57: tool 't' in agent 'a' names guardrail 'x', which does not exist; guardrails are 'pii'");
  CHECK(error("input_guardrails: [{name: pii, mode: async}]") ==
        "3:57: 'mode' in entry 1 of 'input_guardrails' in agent 'a' is 'async'; known words are 'blocking', "
        "'parallel'");
  CHECK(error("output_guardrails: [{name: pii}]") ==
        "3:40: entry 1 of 'output_guardrails' in agent 'a' is a map; it has to be a text");
}

TEST_CASE("a guardrail that may change the input in parallel costs a second call, which is warned of") {
  const std::string advice =
      " while the model is asked, which costs a second model call; write mode: blocking";
  const std::string what = "4:46: input guardrail 'g' of agent 'a' may change the input ";
  const auto parallel = "{name: g, mode: parallel}";
  CHECK(first_warning(used("{type: pii}", parallel)) == what + "(action: mask)" + advice);
  CHECK(first_warning(used("{type: length, max: 5, action: rewrite}", parallel)) ==
        what + "(action: rewrite)" + advice);
  CHECK(first_warning(used("{type: judge, instructions: I, action: reject}", parallel)) ==
        what + "(action: reject)" + advice);
  CHECK(used("{type: pii}", "g").warnings.empty());
  CHECK(used("{type: judge, instructions: I}", parallel).warnings.empty());
}
