#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;
using namespace std::chrono_literals;

namespace {

std::string with_server(const std::string& body) {
  return minimal + "mcpServers:\n  s: {" + body + "}\n";
}

mcp_server_options server_of(const std::string& body) {
  const auto loaded = read(with_server(body), {{"HOME", "/home/u"}});
  INFO(body);
  CHECK(errors_of(loaded).empty());
  REQUIRE(loaded.value);
  REQUIRE(loaded.value->mcp_servers.size() == 1);
  return loaded.value->mcp_servers[0];
}

std::string server_error(const std::string& body) {
  return error_of(with_server(body));
}

} // namespace

TEST_CASE("all keys of an MCP server are read") {
  const auto server =
      server_of(R"(command: uvx, args: [a, 1, true, 1.50, ""], env: {N: 1, B: true, T: "x y"}, cwd: sub,
    startup_timeout: 90, call_timeout: 45s, max_call_timeout: 10m, max_message_bytes: 1MiB, max_concurrent_calls: 3, max_queue: 4,
    allowed_tools: [x], blocked_tools: [y, z],
    restart: {policy: never, initial_backoff: 1s, max_backoff: 2s, max_restarts: 0, within: 7s, cooldown: 3s,
      stable_after: 9s})");
  CHECK(server.name == "s");
  CHECK(server.command == "uvx");
  CHECK(server.args == std::vector<std::string>{"a", "1", "true", "1.50", ""});
  using pair = std::pair<std::string, std::string>;
  CHECK(server.env == std::vector<pair>{{"N", "1"}, {"B", "true"}, {"T", "x y"}});
  CHECK(server.cwd == "/etc/troupe/sub");
  CHECK(server.startup_timeout == 90s);
  CHECK(server.call_timeout == 45s);
  CHECK(server.max_call_timeout == 10min);
  CHECK(server.max_message_bytes == 1048576);
  CHECK(server.max_concurrent_calls == 3);
  CHECK(server.max_queue == 4);
  CHECK(server.allowed_tools == std::vector<std::string>{"x"});
  CHECK(server.blocked_tools == std::vector<std::string>{"y", "z"});
  CHECK(server.restart.when == restart_options::policy::never);
  CHECK(server.restart.initial_backoff == 1s);
  CHECK(server.restart.max_backoff == 2s);
  CHECK(server.restart.max_restarts == 0);
  CHECK(server.restart.cooldown == 3s);
  CHECK(server.restart.within == 7s);
  CHECK(server.restart.stable_after == 9s);
}

TEST_CASE("an MCP server's defaults are the documented ones") {
  const auto server = server_of("command: uvx");
  CHECK(server.cwd == "/etc/troupe");
  CHECK(server.startup_timeout == 60s);
  CHECK(server.call_timeout == 30s);
  CHECK(server.max_message_bytes == 16u << 20);
  CHECK_FALSE(server.allowed_tools);
  CHECK(server.restart.when == restart_options::policy::always);
  CHECK(server.restart.max_restarts == 3);
  CHECK(server.restart.within == 5s);
  CHECK(server.restart.cooldown == 60s);
  CHECK(server.restart.stable_after == 60s);
}

TEST_CASE("a block of a desktop client is taken unchanged") {
  const auto loaded = read(R"({"models": {"default": {"provider": "openai", "model": "m"}},
    "mcpServers": {
      "memory": {"type": "stdio", "command": "npx", "args": ["-y", "@modelcontextprotocol/server-memory"],
        "env": {"MEMORY_FILE_PATH": "/tmp/m"}, "disabled": false, "autoApprove": ["read_graph"], "alwaysAllow": [],
        "disabledTools": ["delete_entities"], "description": "Memory", "icon": "x", "timeout": 90},
      "off": {"url": "https://example.com/mcp", "disabled": true},
      "slow": {"command": "uvx", "timeout": 60000, "isActive": true}},
    "agents": [{"name": "a", "mcp_servers": ["off", "memory", "slow"]}]})");
  REQUIRE(errors_of(loaded).empty());
  REQUIRE(loaded.value->mcp_servers.size() == 2);
  CHECK(loaded.value->mcp_servers[0].blocked_tools == std::vector<std::string>{"delete_entities"});
  CHECK(loaded.value->mcp_servers[0].call_timeout == 90s);
  CHECK(loaded.value->mcp_servers[1].call_timeout == 60s);
  CHECK(loaded.value->agents[0].mcp_servers == std::vector<std::string>{"memory", "slow"});
  CHECK(first_warning(loaded) ==
        "8:46: agent 'a' names an MCP server that is disabled ('off'); the agent goes without its tools");
}

TEST_CASE("the block may be called mcp_servers, but not both") {
  CHECK(read(minimal + "mcp_servers: {s: {command: x}}\n").value->mcp_servers.size() == 1);
  CHECK(error_of(minimal + "mcp_servers: {}\nmcpServers: {}\n")
            .find("3:1: 'mcp_servers' stands beside 'mcpServers'") == 0);
}

TEST_CASE("servers over HTTP say that only stdio can be used as yet") {
  CHECK(server_error("type: http, url: \"https://x\"") ==
        "4:13: 'type' in MCP server 's' is not stdio; only stdio servers can be used as yet; give it a "
        "'command'");
  CHECK(server_error("url: \"https://x\"").find("4:7: 'url' in MCP server 's' is for a server over HTTP") ==
        0);
  for (const auto type : {"sse", "streamable-http", "http"})
    CHECK(server_error(std::string{"command: x, type: "} + type).find("only stdio servers") !=
          std::string::npos);
}

TEST_CASE("commands and folders are relative to the file") {
  CHECK(server_of("command: uvx").command == "uvx");
  CHECK(server_of("command: ./run").command == "/etc/troupe/run");
  CHECK(server_of("command: ../bin/run").command == "/etc/bin/run");
  CHECK(server_of("command: /bin/run").command == "/bin/run");
  CHECK(server_of("command: ~/bin/run").command == "/home/u/bin/run");
  CHECK(server_of("command: x, cwd: ~/w").cwd == "/home/u/w");
  CHECK(server_of("command: x, cwd: /w").cwd == "/w");
}

TEST_CASE("a restart policy may be a word") {
  CHECK(server_of("command: x, restart: never").restart.when == restart_options::policy::never);
  CHECK(server_of("command: x, restart: always").restart.when == restart_options::policy::always);
  CHECK(server_error("command: x, restart: newer").find("is 'newer'; did you mean 'never'?") !=
        std::string::npos);
  CHECK(server_error("command: x, restart: [never]").find("always, never, or a map") != std::string::npos);
}

TEST_CASE("timeouts and backoffs of an MCP server fit together") {
  CHECK(server_of("command: x, call_timeout: 20m").max_call_timeout == 20min);
  CHECK(server_of("command: x, timeout: 90, call_timeout: 5").call_timeout == 5s);
  CHECK(server_of("command: x, timeout: 1500").call_timeout == 1500ms);
  CHECK(server_of("command: x, timeout: 2000s").call_timeout == 2000s);
  CHECK(server_error("command: x, call_timeout: 20, max_call_timeout: 10")
            .find("is shorter than the call's own") != std::string::npos);
  CHECK(server_of("command: x, restart: {initial_backoff: 60s}").restart.max_backoff == 60s);
  CHECK(server_error("command: x, restart: {initial_backoff: 2, max_backoff: 1}")
            .find("is shorter than 'initial") != std::string::npos);
}

TEST_CASE("what an MCP server lacks or has wrong is told") {
  CHECK(server_error("comand: x") == "4:3: MCP server 's' has no 'command'; write command: PROGRAM\n"
                                     "4:7: unknown key 'comand' in MCP server 's'; did you mean 'command'?");
  CHECK(server_error("command: [uvx, x]").find("is a list; it has to be a text") != std::string::npos);
  CHECK(server_error("command: x, args: --help").find("it has to be a list") != std::string::npos);
  CHECK(server_error("command: x, args: [[a]]").find("entry 1 of 'args' in MCP server 's' is a list") !=
        std::string::npos);
  CHECK(server_error("command: x, env: {A: }").find("'A' in 'env' in MCP server 's' is empty") !=
        std::string::npos);
  CHECK(server_error("command: x, env: {\"A=B\": c}").find("holds a '='") != std::string::npos);
  CHECK(server_error("command: x, allowed_tools: [a, a]").find("names 'a' again") != std::string::npos);
}
