#include "actors/http/answer.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using namespace troupe::http;

TEST_CASE("each code has its status") {
  const auto [code, status] = GENERATE(table<errc, unsigned>({
      {errc::malformed, 400},
      {errc::invalid_argument, 422},
      {errc::unknown_agent, 404},
      {errc::unknown_session, 404},
      {errc::overloaded, 429},
      {errc::shutting_down, 503},
      {errc::cancelled, 503},
      {errc::deadline_exceeded, 504},
      {errc::model_timeout, 504},
      {errc::model_failed, 502},
      {errc::max_turns_exceeded, 500},
      {errc::store_failed, 500},
      {errc::internal, 500},
  }));
  CHECK(status_of(code) == status);
}

TEST_CASE("an error's body has a message and a code, and a session if there is one") {
  const auto with = refuse(fail(errc::model_failed, "HTTP 401: no"), "s1");
  CHECK(with.status == 502);
  CHECK(json::parse(with.body) ==
        json::parse(R"({"detail":{"error":"HTTP 401: no","code":"model_failed","session_id":"s1"}})"));
  CHECK(json::parse(refuse(404, "not_found", "nothing").body) ==
        json::parse(R"({"detail":{"error":"nothing","code":"not_found"}})"));
}

TEST_CASE("an error without a message shows its code") {
  CHECK(json::parse(refuse(fail(errc::internal, "")).body).at("detail").at("error") == "internal");
}

TEST_CASE("who is refused for too much work learns when to come back") {
  for (const auto code : {errc::overloaded, errc::shutting_down}) {
    const auto value = refuse(fail(code, "busy"));
    REQUIRE(value.headers.size() == 1);
    CHECK(value.headers[0].first == "Retry-After");
    CHECK(value.headers[0].second == "1");
  }
  CHECK(refuse(fail(errc::model_failed, "no")).headers.empty());
}

TEST_CASE("a session is shown with its items in order") {
  session_record record{"helper", {user_message{"Hi"}, assistant_message{"helper", "Hello"}}};
  const auto shown = json::parse(show("s1", record).body);
  CHECK(shown.at("session_id") == "s1");
  CHECK(shown.at("agent") == "helper");
  REQUIRE(shown.at("items").size() == 2);
  CHECK(shown.at("items")[0].at("role") == "user");
  CHECK(shown.at("items")[1].at("content") == "Hello");
  CHECK(json::parse(show("s2", session_record()).body) ==
        json::parse(R"({"session_id":"s2","agent":null,"items":[]})"));
}

TEST_CASE("an MCP server that never ran has nulls for what it does not have") {
  mcp_status down;
  down.name = "files";
  down.state = mcp_state::failed;
  CHECK(json::parse(show({down}).body) ==
        json::parse(R"({"servers":[{"name":"files","state":"failed","pid":null,
      "protocol_version":null,"tools":[],"restarts":0,"last_error":null}]})"));
}

TEST_CASE("bytes that are not UTF-8 do not break an answer") {
  chat_reply reply;
  reply.result = "a\xff z";
  CHECK(json::parse(show(reply).body).at("result") == "a\xEF\xBF\xBD z");
}

TEST_CASE("a head carries what every answer has") {
  answer value{422, "{}", {{"Allow", "GET"}}, false};
  CHECK(render_head(value, true, "now") ==
        "HTTP/1.1 422 Unprocessable Content\r\nServer: troupe\r\nDate: now\r\n"
        "Connection: keep-alive\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nAllow: GET\r\n\r\n");
  const auto closing = render_head({204, {}, {}, false}, false, "now");
  CHECK(closing.find("Connection: close\r\n") != std::string::npos);
  CHECK(closing.find("Content-Length") == std::string::npos);
}

TEST_CASE("a date is written as HTTP wants it") {
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
}
