#include "tests/actors/http/front_fixture.hpp"

#include "actors/http/front.hpp"
#include "libagent/core/json.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <memory>
#include <string>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

json body_of(const raw_answer& answer) {
  return json::parse(answer.body);
}

} // namespace

TEST_CASE_METHOD(front_fixture, "a chat on a given session is answered with what the agent said") {
  raw_client client(port());
  const auto answer = client.ask(post_chat(R"({"prompt":"Hi","session_id":"s1","agent":"helper"})"));
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("content-type") == "application/json");
  CHECK(answer.headers.at("server") == "troupe");
  CHECK(answer.headers.count("date") == 1);
  const auto body = body_of(answer);
  CHECK(body.at("result") == "Hi");
  CHECK(body.at("session_id") == "s1");
  CHECK(body.at("agent") == "helper");
  CHECK(body.at("run_id").get<std::string>().starts_with("run_"));
  CHECK(body.at("usage").at("total_tokens") == 7);
}

TEST_CASE_METHOD(front_fixture, "chats without a session get one each") {
  raw_client client(port());
  const auto first = body_of(client.ask(post_chat(R"({"prompt":"Hi"})"))).at("session_id").get<std::string>();
  const auto second =
      body_of(client.ask(post_chat(R"({"prompt":"Hi"})"))).at("session_id").get<std::string>();
  CHECK(is_session_id(first));
  CHECK(first != second);
}

TEST_CASE_METHOD(front_fixture, "a run that fails is an error with the session's id, given or made") {
  raw_client client(port());
  const auto failing = std::to_string(static_cast<int>(errc::model_failed));
  const auto given = client.ask(post_chat(R"({"prompt":"fail )" + failing + R"(","session_id":"s1"})"));
  CHECK(given.status == 502);
  auto detail = body_of(given).at("detail");
  CHECK(detail.at("run_id").get<std::string>().starts_with("run_"));
  detail.erase("run_id");
  CHECK(detail == json::parse(R"({"error":"as asked","code":"model_failed","session_id":"s1"})"));
  const auto made = client.ask(post_chat(R"({"prompt":"fail )" + failing + R"("})"));
  CHECK(is_session_id(body_of(made).at("detail").at("session_id").get<std::string>()));
}

TEST_CASE_METHOD(front_fixture, "too much work is refused with the time to come back") {
  raw_client client(port());
  const auto code = std::to_string(static_cast<int>(errc::overloaded));
  const auto answer = client.ask(post_chat(R"({"prompt":"fail )" + code + R"("})"));
  CHECK(answer.status == 429);
  CHECK(answer.headers.at("retry-after") == "1");
}

TEST_CASE_METHOD(front_fixture, "a session is shown and forgotten") {
  raw_client client(port());
  const auto shown = client.ask(get("/api/v1/sessions/known"));
  CHECK(shown.status == 200);
  CHECK(body_of(shown).at("agent") == "helper");
  CHECK(body_of(shown).at("items").size() == 2);
  const auto forgotten = client.ask(get("/api/v1/sessions/known", "DELETE"));
  CHECK(forgotten.status == 204);
  CHECK(forgotten.headers.count("content-length") == 0);
  const auto unknown = client.ask(get("/api/v1/sessions/other"));
  CHECK(unknown.status == 404);
  CHECK(body_of(unknown).at("detail").at("code") == "unknown_session");
  CHECK(client.ask(get("/api/v1/sessions/other", "DELETE")).status == 404);
}

TEST_CASE_METHOD(front_fixture, "a session's id in a path is decoded") {
  raw_client client(port());
  CHECK(body_of(client.ask(get("/api/v1/sessions/a%2Fb%25c"))).at("session_id") == "a/b%c");
}

TEST_CASE_METHOD(front_fixture, "MCP servers are listed in order, the one that is gone as failed") {
  raw_client client(port());
  const auto answer = client.ask(get("/api/v1/mcp"));
  CHECK(answer.status == 200);
  const auto servers = body_of(answer).at("servers");
  REQUIRE(servers.size() == 2);
  CHECK(servers[0] ==
        json::parse(R"({"name":"files","state":"ready","pid":4711,"protocol_version":"2025-06-18",
      "tools":["read","write"],"restarts":2,"last_error":null,
      "breaker":{"state":"closed","failures":0,"open_for_ms":null,"retry_in_ms":null}})"));
  CHECK(servers[1].at("name") == "gone");
  CHECK(servers[1].at("state") == "failed");
  CHECK(servers[1].at("pid").is_null());
  CHECK(servers[1].at("last_error").is_string());
}

TEST_CASE_METHOD(front_fixture, "a front end serves those that it was told of last") {
  http_backend backend;
  backend.agents = {"triage"};
  caf::anon_send(caf::actor_cast<caf::actor>(front), wire_atom::value,
                 std::make_shared<const http_backend>(std::move(backend)));
  // The front end is asked by its actor, which has been told before.
  CHECK(port_of(front).has_value());
  raw_client client(port());
  CHECK(body_of(client.ask(get("/api/v1/mcp"))).at("servers").empty());
}

TEST_CASE_METHOD(front_fixture, "a front end that nobody watches cannot tell of the system") {
  raw_client client(port());
  const auto answer = client.ask(get("/api/v1/system"));
  CHECK(answer.status == 503);
  CHECK(body_of(answer).at("detail").at("code") == "unavailable");
}

TEST_CASE_METHOD(front_fixture, "a connection is kept for further requests") {
  raw_client client(port());
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.ask(get("/health"));
    REQUIRE(answer.status == 200);
    CHECK(answer.headers.at("connection") == "keep-alive");
  }
}

TEST_CASE_METHOD(front_fixture, "a connection is closed when the client wants that") {
  raw_client modern(port());
  CHECK(modern.ask("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .headers.at("connection") == "close");
  CHECK(modern.closed_by_peer());
  raw_client old(port());
  CHECK(old.ask("GET /health HTTP/1.0\r\n\r\n").headers.at("connection") == "close");
  CHECK(old.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture,
                 "pipelined requests are answered in order, also when later ones are done first") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold","session_id":"s1"})") + get("/health") + get("/nowhere"));
  wait_for_held(1);
  release();
  CHECK(body_of(client.receive()).at("result") == "hold");
  CHECK(client.receive().status == 200);
  CHECK(client.receive().status == 404);
}

TEST_CASE_METHOD(front_fixture, "more pipelined requests than are worked on at once all get their answer") {
  raw_client client(port());
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += post_chat(R"({"prompt":")" + std::to_string(i) + R"("})");
  client.send(requests);
  for (int i = 0; i < 50; ++i)
    REQUIRE(body_of(client.receive()).at("result") == std::to_string(i));
}

TEST_CASE_METHOD(front_fixture, "a pipelined request that had to wait may close the connection") {
  raw_client client(port());
  std::string requests;
  for (int i = 0; i < 6; ++i)
    requests += post_chat(R"({"prompt":"hold"})");
  client.send(requests + "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  wait_for_held(4);
  release();
  wait_for_held(2);
  release();
  for (int i = 0; i < 6; ++i)
    REQUIRE(client.receive().status == 200);
  CHECK(body_of(client.receive()).at("status") == "ok");
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture,
                 "what cannot be read after a request that had to wait is refused in its turn") {
  raw_client client(port());
  std::string requests;
  for (int i = 0; i < 4; ++i)
    requests += post_chat(R"({"prompt":"hold"})");
  client.send(requests + "nonsense\r\n\r\n");
  wait_for_held(4);
  release();
  for (int i = 0; i < 4; ++i)
    REQUIRE(client.receive().status == 200);
  CHECK(client.receive().status == 400);
}

TEST_CASE_METHOD(front_fixture, "two chats at once do not wait for each other") {
  raw_client slow(port());
  raw_client quick(port());
  slow.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  CHECK(quick.ask(post_chat(R"({"prompt":"quick"})")).status == 200);
  release();
  CHECK(slow.receive().status == 200);
}

TEST_CASE_METHOD(front_fixture, "HEAD is answered like GET, without the body") {
  raw_client client(port());
  client.send(get("/health", "HEAD"));
  const auto head = client.receive(true);
  CHECK(head.status == 200);
  const auto whole = client.ask(get("/health"));
  CHECK(head.headers.at("content-length") == whole.headers.at("content-length"));
  CHECK(whole.body == R"({"status":"ok"})");
}

TEST_CASE_METHOD(front_fixture, "a wrong method is told the right ones") {
  raw_client client(port());
  const auto answer = client.ask(get("/api/v1/agents", "DELETE"));
  CHECK(answer.status == 405);
  CHECK(answer.headers.at("allow") == "GET, HEAD, OPTIONS");
  CHECK(client.ask(get("/api/v1/agents", "OPTIONS")).status == 204);
}

TEST_CASE_METHOD(front_fixture,
                 "a body that is not JSON by its type is refused, and the connection goes on") {
  raw_client client(port());
  CHECK(client.ask(post_chat("prompt=Hi", "Content-Type: application/x-www-form-urlencoded\r\n")).status ==
        415);
  CHECK(client.ask(post_chat(R"({"prompt":"Hi"})", "")).status == 200);
}

TEST_CASE_METHOD(front_fixture, "a client that wants to be invited sends its body then") {
  raw_client client(port());
  client.send("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              "Expect: 100-continue\r\nContent-Length: 15\r\n\r\n");
  CHECK(client.receive().status == 100);
  CHECK(client.ask(R"({"prompt":"Hi"})").status == 200);
}

TEST_CASE_METHOD(front_fixture, "a request to change the protocol is answered in this one") {
  raw_client client(port());
  const auto upgrade =
      client.ask("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                 "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  CHECK(upgrade.status == 200);
  CHECK(client.ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(front_fixture, "a client that closed its sending side still gets its answer") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold"})"));
  client.close_sending_side();
  wait_for_held(1);
  release();
  CHECK(client.receive().status == 200);
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "a client that goes away disturbs nobody") {
  {
    raw_client gone(port());
    gone.send(post_chat(R"({"prompt":"hold"})"));
    wait_for_held(1);
  }
  release();
  CHECK(raw_client(port()).ask(get("/health")).status == 200);
}
