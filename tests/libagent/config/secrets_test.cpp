#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe::config;

namespace {

constexpr auto hidden = "s3cr3t-v4lue";

/// All messages, errors and warnings, of a file in which SECRET and `hidden` stand for secrets.
std::string messages_of(const std::string& text, const std::string& value = hidden) {
  const auto loaded = read(text, {{"SECRET", value}});
  std::string all;
  for (const auto* list : {&loaded.errors, &loaded.warnings})
    for (const auto& one : *list)
      all += to_string(one) + "\n";
  return all;
}

} // namespace

TEST_CASE("the value of a variable appears in no message, wherever it is used") {
  const std::string broken = R"(
server: {host: ["${SECRET}"], port: "${SECRET}", idle_timeout: "${SECRET}", max_body_bytes: "${SECRET}"}
models:
  default: {provider: "${SECRET}", model: ["${SECRET}"], base_url: "${SECRET}", api_key: ["${SECRET}"],
            headers: ["${SECRET}"], query: "${SECRET}", image_input: "${SECRET}"}
  scripted:
    provider: scripted
    rules:
      - {when: {user: "(${SECRET}", agent: "${SECRET}"}, say: x}
      - {say: "{{${SECRET}"}
      - {say: "{{${SECRET}}}"}
      - {call: {tool: t, arguments: {a: "{{${SECRET}}}"}}}
      - {handoff: "${SECRET}"}
  third: {provider: anthropic, model: m, fallbacks: ["${SECRET}"], price: {input: "${SECRET}", output: 1}}
  fourth: {provider: openai, model: m, api: "${SECRET}", record: ["${SECRET}"]}
guardrails:
  g: {type: "${SECRET}"}
  h: {type: pattern, patterns: ["(${SECRET}"], action: "${SECRET}"}
  i: {type: judge, instructions: I, model: "${SECRET}", timeout: "${SECRET}"}
  j: {type: pii, entities: ["${SECRET}"]}
hooks:
  - {url: "${SECRET}", on: ["${SECRET}"], agents: ["${SECRET}"], headers: ["${SECRET}"], on_failure: "${SECRET}"}
mcpServers:
  u: {command: x, approval: "${SECRET}"}
  v: {command: x, approval: {when: "${SECRET} =="}}
  s: {command: x, args: "${SECRET}", env: "${SECRET}", restart: "${SECRET}", type: "${SECRET}"}
  t: {command: x, env: {A: ["${SECRET}"]}, allowed_tools: ["${SECRET}", "${SECRET}"], disabled: "${SECRET}"}
agents:
  - {name: "${SECRET}", model: "${SECRET}", handoffs: ["${SECRET}", "x${SECRET}"], mcp_servers: ["${SECRET}"]}
  - {name: "${SECRET}", model_settings: {temperature: "${SECRET}", tool_choice: ["${SECRET}"]}}
  - {name: "s3cr3t-value", handoffs: [nobody], model: scripted}
  - name: b
    kind: "${SECRET}"
    members: ["${SECRET}"]
    join: {judge: "${SECRET}"}
    until: "s${SECRET} == 1"
    instructions: {template: "{{x${SECRET}"}
    handoffs: [{agent: "${SECRET}", tool_name: "t${SECRET}"}, {agent: c, tool_name: "t${SECRET}", enabled: "'${SECRET}'"}]
    agent_tools: ["${SECRET}", {agent: c, tool_name: "t${SECRET}"}]
    tools: {t: {on_error: "${SECRET}", input_guardrails: ["${SECRET}"]}}
    input_guardrails: ["${SECRET}", {name: "${SECRET}", mode: "${SECRET}"}]
    output_schema: {type: object, properties: {a: {type: "${SECRET}"}}}
    output_name: "${SECRET} x"
  - {name: c, output_schema: {type: object, additionalProperties: {const: "${SECRET}"}}}
limits: {budget: {turns: "${SECRET}", cost: "${SECRET}"}}
sessions: {store: "${SECRET}", path: ["${SECRET}"]}
)";
  const auto messages = messages_of(broken);
  CHECK(std::count(messages.begin(), messages.end(), '\n') > 60);
  CHECK(messages.find(hidden) == std::string::npos);
  const auto numbers = messages_of(broken, "987654321");
  CHECK(numbers.find("987654321") == std::string::npos);
}

TEST_CASE("a secret written into the file itself appears in no message") {
  for (const auto line :
       {"api_key: [s3cr3t-v4lue]", "api_key: \"s3cr3t-v4lue\\n\"", "api_key:s3cr3t-v4lue: 1",
        "headers: {Authorization:s3cr3t-v4lue}", "headers: {A: [s3cr3t-v4lue]}", "headers: s3cr3t-v4lue",
        "headers: {a: \"s3cr3t-v4lue\\n\"}", "query: [s3cr3t-v4lue]",
        "base_url: \"https://u:s3cr3t-v4lue@h/v1\"", "base_url: \"s3cr3t-v4lue\"",
        "base_url: \"https://h/v1?key=s3cr3t-v4lue\"", "max_retries: s3cr3t-v4lue"}) {
    INFO(line);
    const auto messages = messages_of("agents: [{name: a}]\nmodels: {default: {provider: openai, model: m, " +
                                      std::string{line} + "}}\n");
    CHECK_FALSE(messages.empty());
    CHECK(messages.find(hidden) == std::string::npos);
  }
  for (const auto line :
       {"env: [K=s3cr3t-v4lue]", "env: {K:s3cr3t-v4lue}", "env: {K=s3cr3t-v4lue: }", "env: s3cr3t-v4lue",
        "args: s3cr3t-v4lue", "args: [{a: s3cr3t-v4lue}]", "startup_timeout: s3cr3t-v4lue"}) {
    INFO(line);
    const auto messages = messages_of(minimal + "mcpServers: {s: {command: x, " + std::string{line} + "}}\n");
    CHECK_FALSE(messages.empty());
    CHECK(messages.find(hidden) == std::string::npos);
  }
}

TEST_CASE("syntax errors do not quote the file") {
  const auto messages = messages_of("models:\n  default:\n    api_key: s3cr3t-v4lue: x\n");
  CHECK_FALSE(messages.empty());
  CHECK(messages.find(hidden) == std::string::npos);
}

TEST_CASE("a missing variable is named, its default is not shown") {
  const auto messages = messages_of(minimal + "server: {host: \"${NONE} ${NONE2:-s3cr3t-v4lue}\"}\n");
  CHECK(messages.find("'NONE'") != std::string::npos);
  CHECK(messages.find(hidden) == std::string::npos);
}

TEST_CASE("the values of all variables that a file names are known as secrets") {
  const auto loaded =
      read("mcpServers: {s: {command: c, args: [\"--token=${TOKEN}\", \"${UNSET:-x}\"]}}\n" + minimal,
           {{"TOKEN", "t0ps3cret"}});
  REQUIRE(loaded.value);
  REQUIRE(loaded.value->secrets.size() == 1);
  CHECK(loaded.value->secrets[0].reveal() == "t0ps3cret");
}
