#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

constexpr auto cloudwatch = R"(
server:   {host: 127.0.0.1, port: 8000}
models:
  default: {provider: openai, base_url: "https://api.openai.com/v1", api_key: "${OPENAI_API_KEY}", model: gpt-4.1-mini}
mcpServers:
  cloudwatch:
    command: uvx
    args: ["awslabs.cloudwatch-mcp-server@latest"]
    env: {AWS_REGION: "${AWS_REGION:-us-east-1}", FASTMCP_LOG_LEVEL: ERROR}
agents:
  - name: triage
    instructions: You determine which agent to use based on the user's question.
    handoffs: [cloudwatch]
  - name: cloudwatch
    description: Questions about AWS CloudWatch
    instructions: You assist with AWS CloudWatch related queries.
    mcp_servers: [cloudwatch]
sessions: {store: sqlite, path: troupe.db}
)";

} // namespace

TEST_CASE("the cloudwatch file of the README means what it says") {
  const auto loaded = read(cloudwatch, {{"OPENAI_API_KEY", "sk-1"}});
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.warnings.empty());
  const auto& file = *loaded.value;
  REQUIRE(file.models.size() == 1);
  const auto& model = std::get<endpoint_options>(file.models[0].provider);
  CHECK(file.models[0].name == "default");
  CHECK(model.base_url == "https://api.openai.com/v1");
  CHECK(model.api_key.reveal() == "sk-1");
  CHECK(model.wire.model == "gpt-4.1-mini");
  REQUIRE(file.mcp_servers.size() == 1);
  const auto& server = file.mcp_servers[0];
  CHECK(server.command == "uvx");
  CHECK(server.args == std::vector<std::string>{"awslabs.cloudwatch-mcp-server@latest"});
  using pair = std::pair<std::string, std::string>;
  CHECK(server.env == std::vector<pair>{{"AWS_REGION", "us-east-1"}, {"FASTMCP_LOG_LEVEL", "ERROR"}});
  REQUIRE(file.agents.size() == 2);
  CHECK(file.agents[0].name == "triage");
  CHECK(file.agents[0].instructions == "You determine which agent to use based on the user's question.");
  REQUIRE(file.agents[0].handoffs.size() == 1);
  CHECK(file.agents[0].handoffs[0].agent == "cloudwatch");
  CHECK(file.agents[1].description == "Questions about AWS CloudWatch");
  CHECK(file.agents[1].mcp_servers == std::vector<std::string>{"cloudwatch"});
  CHECK(file.sessions.store == session_options::store_kind::sqlite);
  CHECK(file.sessions.path == "/etc/troupe/troupe.db");
}

TEST_CASE("a file that says little gets the documented defaults") {
  const auto loaded = read(minimal);
  REQUIRE(loaded.value);
  CHECK(loaded.value->server.host == "127.0.0.1");
  CHECK(loaded.value->server.port == 8000);
  CHECK(loaded.value->server.max_body_bytes == 1048576);
  CHECK(loaded.value->server.shutdown_grace == 10s);
  CHECK(loaded.value->sessions.store == session_options::store_kind::memory);
  CHECK(loaded.value->server.sse_keep_alive == 15s);
  CHECK(loaded.value->limits.max_turns == 10);
  CHECK(loaded.value->limits.max_parallel_tools == 16);
  CHECK(loaded.value->limits.kept_runs == 1000);
  CHECK(loaded.value->agents[0].model == "default");
}

TEST_CASE("a message names file, line and column") {
  const auto loaded =
      read("agents: [{name: a}]\nserver: {prt: 1}\nmodels: {default: {provider: openai, model: m}}\n");
  REQUIRE(loaded.errors.size() == 1);
  CHECK(to_string(loaded.errors[0]) ==
        "/etc/troupe/agents.yaml:2:10: unknown key 'prt' in server; did you mean 'port'?");
  CHECK(to_string(diagnostic{"f.yaml", 0, 0, "x"}) == "f.yaml: x");
}

TEST_CASE("all errors of a file are told at once, in the file's order") {
  const auto errors = errors_of(R"(server: {port: eight}
models:
  default: {provider: openai, api_key: "${NO_SUCH_KEY}", model: m}
agents:
  - name: triage
    handofs: [b]
    handoffs: [nobody]
  - name: triage
sesions: {}
)");
  REQUIRE(errors.size() == 6);
  CHECK(errors[0] == "1:16: 'port' in server is a text; it has to be a whole number from 0 to 65535");
  CHECK(errors[1] ==
        "3:40: environment variable 'NO_SUCH_KEY' is not set; set it, or write ${NO_SUCH_KEY:-default}");
  CHECK(errors[2] == "6:5: unknown key 'handofs' in agent 'triage'; did you mean 'handoffs'?");
  CHECK(errors[3] == "7:16: agent 'triage' hands off to 'nobody', which does not exist; agents are 'triage'");
  CHECK(errors[4] == "8:11: duplicate name 'triage' in agents (first in line 5); each name has to be unique");
  CHECK(errors[5] == "9:1: unknown key 'sesions' in the agent file; did you mean 'sessions'?");
}

TEST_CASE("a configuration comes only without errors") {
  CHECK(read(minimal).value);
  CHECK_FALSE(read(minimal + "x: 1\n").value);
}

TEST_CASE("a key far from all known ones gets the list of them") {
  CHECK(error_of(minimal + "zebra: {}\n") ==
        "3:1: unknown key 'zebra' in the agent file; known keys are 'server', 'models', 'mcpServers', "
        "'mcp_servers', 'guardrails', 'agents', 'hooks', 'sessions', 'journal', 'limits'");
}

TEST_CASE("keys that begin with x- hold anchors for merge keys and aliases") {
  const auto loaded = read(R"(
x-endpoint: &endpoint {provider: openai, model: m, timeout: 5, max_retries: 1}
x-more: &more {timeout: 9, api_key: k}
models:
  default: {<<: *endpoint, timeout: 7}
  other: {<<: [*endpoint, *more]}
agents: [{name: a}]
)");
  REQUIRE(errors_of(loaded).empty());
  const auto& first = std::get<endpoint_options>(loaded.value->models[0].provider);
  CHECK(first.wire.model == "m");
  CHECK(first.timeout == 7s);
  CHECK(first.retry.max_retries == 1);
  const auto& second = std::get<endpoint_options>(loaded.value->models[1].provider);
  CHECK(second.timeout == 5s);
  CHECK(second.api_key.reveal() == "k");
}

TEST_CASE("what is wrong in a shared anchor is told once") {
  CHECK(error_of(R"(
x-rules: &rules [{handof: a}]
models:
  default: {provider: openai, model: m}
x-server: &server {command: uvx, call_timeout: 0}
mcpServers: {one: &one {command: uvx, call_timeout: 0}}
agents: [{name: a}]
)") == "6:53: 'call_timeout' in MCP server 'one' is 0; it has to be a time from 1ms to 365d");
  CHECK(error_of(R"(
models: {default: {provider: openai, model: m}}
agents: [{name: a, model_settings: &s {temperature: "${T}"}}, {name: b, model_settings: *s}]
)") == "3:53: environment variable 'T' is not set; set it, or write ${T:-default}");
}

TEST_CASE("JSON is read as it is, surrogate pairs and tabs included") {
  const auto loaded = read("{\n\t\"models\": {\"default\":{\"provider\":\"openai\",\"model\":\"m\"}},\n"
                           "\t\"server\" : {\"port\":\"${PORT}\"},\n"
                           "\t\"agents\"\n: [{\"name\":\"a\",\"instructions\":\"\\ud83d\\ude00 \\\"\\/\"}]}",
                           {{"PORT", "81"}});
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.value->server.port == 81);
  CHECK(loaded.value->agents[0].instructions == "\xf0\x9f\x98\x80 \"/");
  CHECK(error_of("{\"agents\":[{\"name\":\"a\"}],\n \"models\":null}") ==
        "2:2: 'models' in the agent file is empty; it has to be a map from names to models");
}

TEST_CASE("a file whose root is no map says what it is") {
  CHECK(error_of("- a\n") == "1:1: the agent file is a list; it has to be a map of keys and values");
  CHECK(error_of("hello\n") == "1:1: the agent file is a text; it has to be a map of keys and values");
  const std::string empty =
      "1:1: the file is empty; an agent file needs at least 'agents', a list with one agent";
  CHECK(error_of("") == empty);
  CHECK(error_of("# only a comment\n") == empty);
  CHECK(error_of("---\n") == empty);
  CHECK(error_of("{}") == "1:1: there is no agent; add one under agents, such as '- name: assistant'");
}

TEST_CASE("a block without a value is an error at its key") {
  for (const auto key : {"server", "limits", "sessions"})
    CHECK(error_of(minimal + key + ":\n") ==
          "3:1: '" + std::string{key} +
              "' in the agent file is empty; it has to be a map of keys and values");
  CHECK(error_of(minimal + "mcpServers:\n") ==
        "3:1: 'mcpServers' in the agent file is empty; it has to be a map from names to MCP servers");
}
