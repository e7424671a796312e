#include "libagent/mcp/server_session.hpp"
#include "tests/libagent/mcp/client_driver.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace troupe;
using namespace troupe::mcp;
using namespace troupe::mcp::testing;

namespace {

served_tool upper_case() {
  served_tool made;
  made.spec.name = "wrap";
  made.spec.input =
      json_schema::compile({{"type", "object"}, {"required", {"text"}}, {"properties", json::object()}})
          .value();
  made.output_schema = json{{"type", "object"}, {"required", {"wrapped"}}};
  made.run = [](const json& arguments) {
    return tool_result::text(dump_json({{"wrapped", "<" + arguments["text"].get<std::string>() + ">"}}));
  };
  return made;
}

/// Carries lines between the two until neither has anything to say; the client's other effects come out.
effects converse(client_session& client, server_session& server, const effects& first) {
  effects seen;
  std::deque<effect> waiting(first.begin(), first.end());
  while (!waiting.empty()) {
    const auto next = std::move(waiting.front());
    waiting.pop_front();
    const auto* line = std::get_if<send_line>(&next);
    if (line == nullptr) {
      seen.push_back(next);
      continue;
    }
    for (const auto& answer : server.on_line(line->line))
      for (auto& effect : client.on_line(answer))
        waiting.push_back(std::move(effect));
  }
  return seen;
}

} // namespace

TEST_CASE("our client and our server understand each other") {
  server_session server({"stub", "1.0", ""}, {upper_case()});
  client_session client({});
  const auto done = only<ready>(converse(client, server, client.start()));
  CHECK(done.server.protocol_version == "2025-11-25");
  CHECK(done.server.name == "stub");
  CHECK(names(done.tools) == std::vector<std::string>{"wrap"});

  const auto call = [&](const std::string& name, const json& arguments) {
    return only<call_finished>(converse(client, server, client.call_tool(1, name, arguments))).result;
  };
  CHECK(call("wrap", {{"text", "a\nb"}}) == tool_result::text("{\"wrapped\":\"<a\\nb>\"}"));
  CHECK(call("wrap", json::object()).is_error);
  CHECK_THAT(plain_text(call("no_such", json::object()).parts), Catch::Contains("code -32602"));
  CHECK(only<pong>(converse(client, server, client.ping(4))).key == 4);
  CHECK(client.stray_lines() == 0);
}
