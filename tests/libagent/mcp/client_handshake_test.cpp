#include "tests/libagent/mcp/client_driver.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::mcp;
using namespace troupe::mcp::testing;

TEST_CASE("the handshake offers the newest revision and no capabilities") {
  client_options options;
  options.client_name = "somebody";
  options.client_version = "9.9";
  client_session session(options);
  const auto asked = only_sent(session.start());
  CHECK(asked == json{{"jsonrpc", "2.0"},
                      {"id", 1},
                      {"method", "initialize"},
                      {"params",
                       {{"protocolVersion", "2025-11-25"},
                        {"capabilities", json::object()},
                        {"clientInfo", {{"name", "somebody"}, {"version", "9.9"}}}}}});
  CHECK(session.start().empty());
}

TEST_CASE("every revision of the handshake era is accepted and reported") {
  const std::string version = GENERATE("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05");
  client_session session({});
  session.start();
  const auto messages = sent(session.on_line(response(1, welcome(version))));
  REQUIRE(messages.size() == 2);
  CHECK(messages[0] == json{{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
  CHECK(messages[1] == json{{"jsonrpc", "2.0"}, {"id", 2}, {"method", "tools/list"}});
  CHECK_FALSE(session.is_ready());

  const auto done = only<ready>(session.on_line(response(2, page({tool("echo")}))));
  CHECK(session.is_ready());
  CHECK(done.server.protocol_version == version);
  CHECK(done.server.name == "stub");
  CHECK(done.server.version == "1.2");
  CHECK(done.server.instructions == "Be kind.");
  REQUIRE(done.tools->size() == 1);
  CHECK(done.tools->front().name == "echo");
  CHECK(done.tools->front().description == "does echo");
}

TEST_CASE("a revision that nobody here speaks breaks the session, naming both sides") {
  client_session session({});
  session.start();
  const auto out = session.on_line(response(1, welcome("2031-01-01")));
  const auto reason = only<broken>(out).reason;
  CHECK(reason.code == errc::protocol_violation);
  CHECK_THAT(reason.detail, Catch::Contains("2031-01-01") && Catch::Contains("2025-11-25"));
  CHECK(sent(out).empty());
  CHECK(session.on_line(response(1, welcome())).empty());
  const auto late = only<call_finished>(session.call_tool(7, "echo", json::object()));
  CHECK(late.key == 7);
  CHECK(late.result.is_error);
}

TEST_CASE("an answer to initialize without a version breaks the session") {
  const json answer = GENERATE(json(nullptr), json::array(), json::object(), json{{"protocolVersion", 5}});
  client_session session({});
  session.start();
  CHECK_THAT(only<broken>(session.on_line(response(1, answer))).reason.detail, Catch::Contains("version"));
}

TEST_CASE("a refused handshake says why and which revisions the server supports") {
  client_session session({});
  session.start();
  const auto line = error_response(1, -32602, "Unsupported protocol version",
                                   {{"supported", {"2023-01-01", "2023-02-02"}}});
  const auto detail = only<broken>(session.on_line(line)).reason.detail;
  CHECK_THAT(detail, Catch::Contains("Unsupported protocol version (code -32602)") &&
                         Catch::Contains("2023-01-01, 2023-02-02"));
}

TEST_CASE("a server without tools is ready at once and is never asked for a list") {
  client_session session({});
  session.start();
  auto answer = welcome();
  answer["capabilities"] = {{"prompts", json::object()}};
  const auto out = session.on_line(response(1, answer));
  CHECK(only<ready>(out).tools->empty());
  CHECK(only_sent(out)["method"] == "notifications/initialized");
  CHECK(session.on_line(notification("notifications/tools/list_changed")).empty());
}

TEST_CASE("a server that claims tools but does not know tools/list is ready without any") {
  auto session = greeted();
  CHECK(only<ready>(session.on_line(error_response(2, -32601, "Method not found"))).tools->empty());
  CHECK(session.on_line(notification("notifications/tools/list_changed")).empty());
}

TEST_CASE("requests of the server get an answer with the same id") {
  auto session = greeted();
  const json id = GENERATE(json(7), json("7"), json("a\"b"), json(-1), json(0));
  SECTION("a ping is answered at once") {
    const auto answer =
        only_sent(session.on_line(json{{"jsonrpc", "2.0"}, {"id", id}, {"method", "ping"}}.dump()));
    CHECK(answer == json{{"jsonrpc", "2.0"}, {"id", id}, {"result", json::object()}});
  }
  SECTION("what was not offered is refused") {
    const std::string method =
        GENERATE("roots/list", "sampling/createMessage", "elicitation/create", "no/such");
    const auto answer = only_sent(session.on_line(
        json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", json::object()}}.dump()));
    CHECK(answer["id"] == id);
    CHECK(answer["error"]["code"] == -32601);
  }
}

TEST_CASE("a ping is answered before the handshake is done") {
  client_session session({});
  session.start();
  CHECK(only_sent(session.on_line(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"))["id"] == 1);
  CHECK(sent(session.on_line(response(1, welcome()))).size() == 2);
}

TEST_CASE("each message of a batch is handled, and its requests are answered in one batch") {
  auto session = greeted();
  const auto out =
      session.on_line(R"([{"jsonrpc":"2.0","id":"p","method":"ping"},)" + response(2, page({tool("echo")})) +
                      R"(,5,{"jsonrpc":"2.0","id":9,"method":"roots/list"}])");
  CHECK(names(only<ready>(out).tools) == std::vector<std::string>{"echo"});
  const auto answers = only_sent(out);
  REQUIRE(answers.size() == 2);
  CHECK(answers[0]["id"] == "p");
  CHECK(answers[1]["error"]["code"] == -32601);
  CHECK(session.stray_lines() == 0);
}

TEST_CASE("what follows in a batch that breaks the session is left alone") {
  client_session session({});
  session.start();
  const auto out = session.on_line("[" + response(1, welcome("2031-01-01")) +
                                   R"(,{"jsonrpc":"2.0","id":5,"method":"ping"},)" +
                                   notification("notifications/message", {{"data", "late"}}) + "]");
  REQUIRE(out.size() == 1);
  CHECK(only<broken>(out).reason.code == errc::protocol_violation);
}

TEST_CASE("a batch that breaks the session at its end is not answered") {
  client_session session({});
  session.start();
  const auto out = session.on_line(R"([{"jsonrpc":"2.0","id":5,"method":"ping"},)" +
                                   response(1, welcome("2031-01-01")) + "]");
  REQUIRE(out.size() == 1);
  CHECK(only<broken>(out).reason.code == errc::protocol_violation);
}

TEST_CASE("lines that are no messages are counted, logged and skipped") {
  auto session = greeted();
  const std::string line = GENERATE(
      "Server running on stdio", "{\"level\":\"info\"}", "{\"jsonrpc\":\"2.0\"", "[]", "[1]", "42", "null",
      "\"text\"", "{}", "{\"jsonrpc\":\"1.0\",\"id\":2,\"result\":{}}", "{\"jsonrpc\":\"2.0\",\"id\":2}x",
      "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", "{\"jsonrpc\":\"2.0\",\"method\":\"a\xff\"}");
  const auto out = session.on_line(line);
  CHECK(session.stray_lines() == 1);
  CHECK(out.size() == 1);
  CHECK(only<server_log>(out).level == "debug");
  CHECK(only<ready>(session.on_line(response(2, page({})))).tools->empty());
}

TEST_CASE("a line nested without end is skipped") {
  auto session = greeted();
  CHECK(only<server_log>(session.on_line(std::string(100000, '['))).level == "debug");
  CHECK(session.stray_lines() == 1);
}

TEST_CASE("blank lines and a carriage return at the end are nothing to mention") {
  auto session = greeted();
  CHECK(session.on_line("").empty());
  CHECK(session.on_line("\r").empty());
  CHECK(session.on_line("  \t").empty());
  CHECK(session.stray_lines() == 0);
  session.on_line(response(2, page({})) + "\r");
  CHECK(session.is_ready());
}

TEST_CASE("a byte order mark before the first message is skipped") {
  client_session session({});
  session.start();
  CHECK(sent(session.on_line("\xEF\xBB\xBF" + response(1, welcome()))).size() == 2);
}

TEST_CASE("an error without an id is logged") {
  auto session = greeted();
  const auto out = session.on_line(error_response(nullptr, -32700, "Parse error"));
  CHECK_THAT(only<server_log>(out).text, Catch::Contains("Parse error (code -32700)"));
  CHECK(session.stray_lines() == 0);
}

TEST_CASE("what the server logs is passed on") {
  auto session = greeted();
  auto logged = only<server_log>(session.on_line(notification(
      "notifications/message", {{"level", "warning"}, {"logger", "db"}, {"data", {{"rows", 3}}}})));
  CHECK(logged.level == "warning");
  CHECK(logged.text == "db: {\"rows\":3}");
  logged = only<server_log>(session.on_line(notification("notifications/message", {{"data", "hello"}})));
  CHECK(logged.level == "info");
  CHECK(logged.text == "hello");
}
