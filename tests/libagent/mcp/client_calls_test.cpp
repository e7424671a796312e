#include "tests/libagent/mcp/client_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::mcp;
using namespace troupe::mcp::testing;

namespace {

std::string progress(const json& token, double value) {
  return notification("notifications/progress",
                      {{"progressToken", token}, {"progress", value}, {"total", 10}, {"message", "on it"}});
}

} // namespace

TEST_CASE("a call names the tool, its arguments and a progress token") {
  auto session = ready_with({tool("echo")});
  const auto asked = only_sent(session.call_tool(70, "echo", json{{"message", "line\nbreak"}}));
  CHECK(asked == json{{"jsonrpc", "2.0"},
                      {"id", 3},
                      {"method", "tools/call"},
                      {"params",
                       {{"name", "echo"},
                        {"arguments", {{"message", "line\nbreak"}}},
                        {"_meta", {{"progressToken", 3}}}}}});
  CHECK(session.calls_in_flight() == 1);
  const auto done = only<call_finished>(session.on_line(response(3, text_result("hi"))));
  CHECK(done.key == 70);
  CHECK(done.result == tool_result::text("hi"));
  CHECK(session.calls_in_flight() == 0);
}

TEST_CASE("answers out of order reach the calls that they belong to") {
  auto session = ready_with({tool("echo")});
  for (call_key key = 10; key < 13; ++key)
    session.call_tool(key, "echo", json::object());
  for (const int id : {5, 3, 4}) {
    const auto done = only<call_finished>(session.on_line(response(id, text_result(std::to_string(id)))));
    CHECK(done.key == static_cast<call_key>(id) + 7);
    CHECK(plain_text(done.result.parts) == std::to_string(id));
  }
}

TEST_CASE("a second answer to one call is ignored") {
  auto session = ready_with({tool("echo")});
  session.call_tool(1, "echo", json::object());
  only<call_finished>(session.on_line(response(3, text_result("once"))));
  const auto out = session.on_line(response(3, text_result("twice")));
  CHECK(all<call_finished>(out).empty());
  CHECK(only<server_log>(out).level == "debug");
  CHECK(session.stray_lines() == 0);
}

TEST_CASE("an answer whose id comes back as a text or a float still counts") {
  auto session = ready_with({tool("echo")});
  session.call_tool(1, "echo", json::object());
  const json id = GENERATE(json("3"), json(3.0));
  CHECK(only<call_finished>(session.on_line(response(id, text_result("hi")))).key == 1);
}

TEST_CASE("an answer that only resembles an id of a call is ignored") {
  auto session = ready_with({tool("echo")});
  session.call_tool(1, "echo", json::object());
  const json id =
      GENERATE(json("3x"), json(3.5), json(""), json(-3), json(1e300), json("99999999999999999999"));
  CHECK(all<call_finished>(session.on_line(response(id, text_result("hi")))).empty());
  CHECK(session.calls_in_flight() == 1);
}

TEST_CASE("an error instead of a result fails the call with its message and code") {
  auto session = ready_with({tool("echo")});
  session.call_tool(1, "echo", json::object());
  const auto done = only<call_finished>(session.on_line(error_response(3, -32602, "Unknown tool")));
  CHECK(done.result == tool_result::failure("Unknown tool (code -32602)"));
}

TEST_CASE("a malformed answer fails the call instead of leaving it to its timeout") {
  auto session = ready_with({tool("echo")});
  session.call_tool(1, "echo", json::object());
  const std::string line = GENERATE(
      R"({"jsonrpc":"2.0","id":3})", R"({"jsonrpc":"2.0","id":3,"error":"boom"})",
      R"({"jsonrpc":"2.0","id":3,"result":null})", R"({"jsonrpc":"2.0","id":3,"result":[]})",
      R"({"jsonrpc":"2.0","id":3,"result":{}})", R"({"jsonrpc":"2.0","id":3,"result":{"content":5}})");
  const auto done = only<call_finished>(session.on_line(line));
  CHECK(done.result.is_error);
  CHECK_FALSE(plain_text(done.result.parts).empty());
  CHECK(session.calls_in_flight() == 0);
}

TEST_CASE("a malformed request of the server does not end a call with the same number") {
  auto session = ready_with({tool("echo")});
  session.call_tool(1, "echo", json::object());
  CHECK(all<call_finished>(session.on_line(R"({"jsonrpc":"2.0","id":3,"method":5})")).empty());
  CHECK(session.calls_in_flight() == 1);
}

TEST_CASE("progress reaches active calls only") {
  auto session = ready_with({tool("echo")});
  session.call_tool(44, "echo", json::object());
  const auto reported = only<call_progress>(session.on_line(progress(3, 4)));
  CHECK(reported.key == 44);
  CHECK(reported.progress == 4);
  CHECK(reported.total == 10.0);
  CHECK(reported.message == "on it");
  CHECK(session.on_line(progress(4, 5)).empty());
  CHECK(session.on_line(progress("abc", 5)).empty());
  CHECK(session.on_line(notification("notifications/progress", {{"progressToken", 3}})).empty());
  session.on_line(response(3, text_result("done")));
  CHECK(session.on_line(progress(3, 6)).empty());
}

TEST_CASE("a cancelled call tells the server and ignores its late answer") {
  auto session = ready_with({tool("echo")});
  session.call_tool(5, "echo", json::object());
  session.call_tool(6, "echo", json::object());
  const auto told = only_sent(session.cancel(5, "too slow"));
  CHECK(told == json{{"jsonrpc", "2.0"},
                     {"method", "notifications/cancelled"},
                     {"params", {{"requestId", 3}, {"reason", "too slow"}}}});
  CHECK(session.calls_in_flight() == 1);
  CHECK(all<call_finished>(session.on_line(response(3, text_result("late")))).empty());
  CHECK(session.cancel(5, "again").empty());
  CHECK(only<call_finished>(session.on_line(response(4, text_result("other")))).key == 6);
}

TEST_CASE("a ping of ours is answered by a result or by a refusal") {
  auto session = ready_with({});
  const auto asked = only_sent(session.ping(8));
  CHECK(asked == json{{"jsonrpc", "2.0"}, {"id", 3}, {"method", "ping"}});
  CHECK(session.calls_in_flight() == 0);
  const auto line = GENERATE(response(3, json::object()), error_response(3, -32601, "Method not found"));
  CHECK(only<pong>(session.on_line(line)).key == 8);
}

TEST_CASE("when the server goes away, every call fails at once, in order") {
  auto session = ready_with({tool("echo")});
  for (const call_key key : {30, 10, 20})
    session.call_tool(key, "echo", json::object());
  session.ping(99);
  const auto out = session.on_closed("killed by SIGKILL");
  const auto ended = all<call_finished>(out);
  REQUIRE(ended.size() == 3);
  CHECK(out.size() == 3);
  CHECK(ended[0].key == 30);
  CHECK(ended[1].key == 10);
  CHECK(ended[2].key == 20);
  for (const auto& each : ended)
    CHECK(each.result == tool_result::failure("MCP server went away: killed by SIGKILL"));
  CHECK_FALSE(session.is_ready());
  CHECK(session.on_closed("again").empty());
  CHECK(session.on_line(response(3, text_result("late"))).empty());
  CHECK(session.ping(100).empty());
}

TEST_CASE("a call outside of the ready session is over at once") {
  client_session session({});
  const auto fails = [&session](call_key key, const std::string& reason) {
    const auto out = session.call_tool(key, "echo", json::object());
    CHECK(sent(out).empty());
    const auto done = only<call_finished>(out);
    CHECK(done.key == key);
    CHECK(done.result.is_error);
    CHECK_THAT(plain_text(done.result.parts), Catch::Contains(reason));
  };
  fails(1, "not ready");
  session.start();
  fails(2, "not ready");
  session.on_line(response(1, welcome()));
  fails(3, "not ready");
  session.on_line(response(2, page({})));
  session.on_closed("exited with status 1");
  fails(4, "exited with status 1");
}

TEST_CASE("structured content is checked against the schema of the tool that was called") {
  auto counter = tool("count");
  counter["outputSchema"] = {
      {"type", "object"}, {"properties", {{"n", {{"type", "integer"}}}}}, {"required", {"n"}}};
  auto session = ready_with({counter, tool("free")});
  session.call_tool(1, "count", json::object());
  session.call_tool(2, "count", json::object());
  session.call_tool(3, "free", json::object());
  const json bad = {{"content", json::array()}, {"structuredContent", {{"n", "many"}}}};
  const json good = {{"content", json::array()}, {"structuredContent", {{"n", 4}}}};
  const auto refused = only<call_finished>(session.on_line(response(3, bad))).result;
  CHECK(refused.is_error);
  CHECK_THAT(plain_text(refused.parts), Catch::Contains("output schema"));
  CHECK(only<call_finished>(session.on_line(response(4, good))).result == tool_result::text("{\"n\":4}"));
  CHECK(only<call_finished>(session.on_line(response(5, bad))).result ==
        tool_result::text("{\"n\":\"many\"}"));
}

TEST_CASE("a message of 8 MiB goes both ways") {
  auto session = ready_with({tool("echo")});
  const std::string large(8u << 20, 'x');
  const auto asked = session.call_tool(1, "echo", json{{"message", large}});
  CHECK(only<send_line>(asked).line.size() > large.size());
  const auto done = only<call_finished>(session.on_line(response(3, text_result(large))));
  CHECK(std::get<text_content>(done.result.parts.at(0)).text == large);
}
