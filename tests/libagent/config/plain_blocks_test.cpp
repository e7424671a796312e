#include "tests/libagent/config/support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::config;
using namespace std::chrono_literals;

TEST_CASE("all keys of server, sessions and limits are read") {
  const auto loaded = read(minimal + R"(
server: {host: "::1", port: 0, max_body_bytes: 64KiB, max_json_depth: 8, max_connections: 9, max_requests: 10, header_timeout: 1,
  body_timeout: 2.5, idle_timeout: 3s, sse_keep_alive: 1m, shutdown_grace: 0}
sessions: {store: memory, max_sessions: 5, max_queue: 6, idle_timeout: 7m}
limits: {max_turns: 3, run_timeout: 1h, max_runs: 4, max_tool_output_bytes: 1024, max_parallel_tools: 2,
  kept_runs: 0, max_prompt_bytes: 2KiB, max_history_items: 50, memory: 2GiB}
)");
  REQUIRE(errors_of(loaded).empty());
  CHECK(loaded.warnings.empty());
  const auto& server = loaded.value->server;
  CHECK(server.host == "::1");
  CHECK(server.port == 0);
  CHECK(server.max_body_bytes == 65536);
  CHECK(server.max_json_depth == 8);
  CHECK(server.max_connections == 9);
  CHECK(server.max_requests == 10);
  CHECK(server.header_timeout == 1s);
  CHECK(server.body_timeout == 2500ms);
  CHECK(server.idle_timeout == 3s);
  CHECK(server.sse_keep_alive == 1min);
  CHECK(server.shutdown_grace == 0s);
  CHECK(loaded.value->sessions.max_sessions == 5);
  CHECK(loaded.value->sessions.max_queue == 6);
  CHECK(loaded.value->sessions.idle_timeout == 7min);
  CHECK(loaded.value->limits.max_turns == 3);
  CHECK(loaded.value->limits.run_timeout == 1h);
  CHECK(loaded.value->limits.max_runs == 4);
  CHECK(loaded.value->limits.max_tool_output_bytes == 1024);
  CHECK(loaded.value->limits.max_parallel_tools == 2);
  CHECK(loaded.value->limits.kept_runs == 0);
  CHECK(loaded.value->limits.max_prompt_bytes == 2048);
  CHECK(loaded.value->limits.max_history_items == 50);
  CHECK(loaded.value->limits.memory == std::size_t{2} << 30);
}

TEST_CASE("values outside their range are refused with the range") {
  const auto error = [](const std::string& value) { return error_of(minimal + "server: {" + value + "}\n"); };
  CHECK(error("port: 65536") ==
        "3:16: 'port' in server is 65536; it has to be a whole number from 0 to 65535");
  CHECK(error("port: -1") == "3:16: 'port' in server is -1; it has to be a whole number from 0 to 65535");
  CHECK(error("port: 99999999999999999999").find("has to be a whole number") != std::string::npos);
  CHECK(error("port: 80.0").find("is 80.0; it has to be a whole number") != std::string::npos);
  CHECK(error("port: \"80\"") ==
        "3:16: 'port' in server is a text; it has to be a whole number from 0 to 65535");
  CHECK(error("port: true").find("is a boolean; it has to be a whole number") != std::string::npos);
  CHECK(error("port: [1]").find("is a list; it has to be a whole number") != std::string::npos);
  CHECK(error("port:").find("3:10: 'port' in server is empty; it has to be a whole number") == 0);
  for (const auto duration : {"0", "-1", "-5s", ".nan", ".inf", "1e300", "400d", "0.0001"}) {
    INFO(duration);
    CHECK(error("idle_timeout: " + std::string{duration}).find("it has to be a time from 1ms to 365d") !=
          std::string::npos);
  }
  CHECK(error("idle_timeout: soon").find("seconds as a number, or a text such as 500ms, 30s, 2m or 1h") !=
        std::string::npos);
  for (const auto size : {"0", "-1", "2000GiB", "0B"}) {
    INFO(size);
    CHECK(error("max_body_bytes: " + std::string{size}).find("a size from 1 byte to 1024GiB") !=
          std::string::npos);
  }
  CHECK(error("max_body_bytes: 1.5").find("bytes as a whole number, or a text such as 64KiB") !=
        std::string::npos);
  CHECK(error("sse_keep_alive: 0").find("it has to be a time from 1ms to 365d") != std::string::npos);
  CHECK(error("host: 8").find("'host' in server is a number; it has to be a text: put it in quotes") !=
        std::string::npos);
  CHECK(error("host: \"\"").find("is an empty text") != std::string::npos);
}

TEST_CASE("a server listens on an IP address or on localhost") {
  const auto error = [](const std::string& host) {
    return error_of(minimal + "server: {host: \"" + host + "\"}\n", {{"HOST", "example"}});
  };
  for (const auto right : {"127.0.0.1", "0.0.0.0", "::", "::1", "[::1]", "fe80::1%eth0", "localhost"}) {
    INFO(right);
    CHECK(error(right) == "");
  }
  for (const std::string wrong :
       {"example", "127.0.0", "256.0.0.1", "127.0.0.1:80", "::g", "[127.0.0.1", " "}) {
    INFO(wrong);
    CHECK(error(wrong) ==
          "3:16: 'host' in server is '" + wrong +
              "', no IP address to listen on; write one such as 127.0.0.1, 0.0.0.0 or '::1', or "
              "localhost");
  }
  CHECK(error("${HOST}").find("'host' in server is no IP address to listen on") != std::string::npos);
}

TEST_CASE("the SQLite store has a path, relative to the file") {
  const auto path = [](const std::string& sessions) {
    const auto loaded = read(minimal + "sessions: " + sessions, {{"HOME", "/home/u"}});
    return loaded.value ? loaded.value->sessions.path.string() : error_of(minimal + "sessions: " + sessions);
  };
  CHECK(path("{store: sqlite}") == "/etc/troupe/troupe.db");
  CHECK(path("{store: sqlite, path: ../db/x.db}") == "/etc/db/x.db");
  CHECK(path("{store: sqlite, path: /var/x.db}") == "/var/x.db");
  CHECK(path("{store: sqlite, path: ~/x.db}") == "/home/u/x.db");
  CHECK(path("{store: memory}").empty());
  CHECK(path("{path: x.db}") ==
        "3:12: 'path' in sessions needs a store that has a file; write store: sqlite");
  CHECK(path("{store: sqlit}") == "3:19: 'store' in sessions is 'sqlit'; did you mean 'sqlite'?");
}

TEST_CASE("a leading ~ needs HOME") {
  CHECK(error_of(minimal + "sessions: {store: sqlite, path: ~/x.db}\n")
            .find("3:33: 'path' in sessions begins with '~'") == 0);
}

TEST_CASE("session keys of the other store are warned of") {
  CHECK(first_warning(read(minimal + "sessions: {store: memory, path: x}\n")) ==
        "3:27: 'path' in sessions has no effect with store: memory; remove it");
  CHECK(first_warning(read(minimal + "sessions: {store: sqlite, max_sessions: 4}\n"))
            .find("3:27: 'max_sessions'") == 0);
}
