#include "actors/http/answer.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

using namespace troupe;
using namespace troupe::http;
using namespace std::chrono_literals;

TEST_CASE("each code has its status") {
  const auto [code, status] = GENERATE(table<errc, unsigned>({
      {errc::malformed, 400},          {errc::invalid_argument, 422},  {errc::unknown_agent, 404},
      {errc::unknown_session, 404},    {errc::overloaded, 429},        {errc::shutting_down, 503},
      {errc::cancelled, 409},          {errc::deadline_exceeded, 504}, {errc::model_timeout, 504},
      {errc::model_failed, 502},       {errc::model_stream_cut, 502},  {errc::not_recorded, 502},
      {errc::protocol_violation, 502}, {errc::invalid_output, 502},    {errc::tool_failed, 502},
      {errc::hook_failed, 502},        {errc::guardrail_tripped, 422}, {errc::budget_exceeded, 422},
      {errc::unknown_run, 404},        {errc::conflict, 409},          {errc::max_turns_exceeded, 500},
      {errc::store_failed, 500},       {errc::internal, 500},          {errc::unavailable, 503},
      {errc::model_unavailable, 503},
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

TEST_CASE("an error's facts stand beside its code, and never in its place") {
  auto reason = fail(errc::budget_exceeded, "no more turns");
  reason.facts = std::make_shared<const json>(
      json::parse(R"({"kind":"turns","spent":3,"limit":3,"code":"x","error":"x"})"));
  CHECK(json::parse(refuse(reason, "s1", "r1").body) == json::parse(R"({"detail":{"error":"no more turns",
      "code":"budget_exceeded","session_id":"s1","run_id":"r1","kind":"turns","spent":3,"limit":3}})"));
  reason.facts = std::make_shared<const json>(json::parse("[1]"));
  CHECK(json::parse(refuse(reason).body) ==
        json::parse(R"({"detail":{"error":"no more turns","code":"budget_exceeded"}})"));
}

TEST_CASE("a run that is in the way of another is the one that is named") {
  auto reason = fail(errc::conflict, "the session's run waits");
  reason.facts = std::make_shared<const json>(json{{"run_id", "r0"}});
  CHECK(json::parse(refuse(reason, "s1", "r1").body).at("detail").at("run_id") == "r0");
  CHECK(json::parse(refuse(reason, "s1", "r1").body).at("detail").at("session_id") == "s1");
  reason.facts = std::make_shared<const json>(json{{"session_id", "s0"}});
  CHECK(json::parse(refuse(reason, "s1", "r1").body).at("detail").at("session_id") == "s0");
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

TEST_CASE("an error that knows when to come back says so, in whole seconds") {
  auto reason = fail(errc::model_unavailable, "not now");
  const auto header = [&reason](int milliseconds) {
    reason.facts = std::make_shared<const json>(json{{"retry_after_ms", milliseconds}});
    return refuse(reason).headers;
  };
  using headers = decltype(answer::headers);
  CHECK(header(4001) == headers{{"Retry-After", "5"}});
  CHECK(header(0) == headers{{"Retry-After", "1"}});
}

TEST_CASE("a system is shown as a tree, with nulls for what a part does not tell") {
  system_status system;
  system.uptime = 1500ms;
  system.root.name = "troupe";
  system.root.kind = "root";
  system_node models;
  models.name = "models";
  models.kind = "group";
  system_node model;
  model.name = "default";
  model.kind = "model";
  model.in_flight = 3;
  model.breaker = breaker_status{breaker_state::open, 5, 2s, 3s};
  models.children = {model};
  system.root.children = {models};
  const auto shown = json::parse(show(system).body);
  CHECK(shown.at("uptime_s") == 1.5);
  CHECK(shown.at("version").is_string());
  CHECK(shown.at("tree").at("kind") == "root");
  CHECK(shown.at("tree").at("children") == json::parse(R"([{"name":"models","kind":"group","state":"running",
    "children":[{"name":"default","kind":"model","state":"running","restarts":0,"mailbox":null,"in_flight":3,
      "waiting":null,"last_error":null,"retry_in_ms":null,
      "breaker":{"state":"open","failures":5,"open_for_ms":2000,"retry_in_ms":3000}}]}])"));
}

TEST_CASE("a session is shown with its items in order") {
  session_record record{"helper", {user_message{"Hi"}, assistant_message{"helper", "Hello"}}};
  const auto shown = json::parse(show("s1", record).body);
  CHECK(shown.at("session_id") == "s1");
  CHECK(shown.at("agent") == "helper");
  REQUIRE(shown.at("items").size() == 2);
  CHECK(shown.at("items")[0].at("role") == "user");
  CHECK(shown.at("items")[1].at("content") == "Hello");
  CHECK(json::parse(show("s2", session_record()).body) == (json{{"session_id", "s2"},
                                                                {"agent", nullptr},
                                                                {"items", json::array()},
                                                                {"usage", to_json(usage_report())}}));
}

TEST_CASE("an MCP server that never ran has nulls for what it does not have") {
  mcp_status down;
  down.name = "files";
  down.state = mcp_state::failed;
  CHECK(json::parse(show({down}).body) ==
        json::parse(R"({"servers":[{"name":"files","state":"failed","pid":null,
      "protocol_version":null,"tools":[],"restarts":0,"last_error":null,
      "breaker":{"state":"closed","failures":0,"open_for_ms":null,"retry_in_ms":null}}]})"));
}

namespace {

chat_reply some_reply() {
  chat_reply reply;
  reply.result = "42";
  reply.session_id = "s1";
  reply.agent = "helper";
  reply.run_id = "r1";
  reply.used.add("helper", "fast", {.requests = 1, .input_tokens = 5, .output_tokens = 2});
  return reply;
}

} // namespace

TEST_CASE("a reply has the result, the run and what it used") {
  const auto value = show(some_reply());
  CHECK(value.status == 200);
  const auto body = json::parse(value.body);
  CHECK(body.at("result") == "42");
  CHECK(body.at("session_id") == "s1");
  CHECK(body.at("agent") == "helper");
  CHECK(body.at("run_id") == "r1");
  CHECK(body.at("usage").at("total_tokens") == 7);
  CHECK(body.at("usage").at("agents").at("helper").at("requests") == 1);
  CHECK(body.size() == 5);
}

TEST_CASE("the result of an agent with an output schema is JSON") {
  auto reply = some_reply();
  reply.structured = std::make_shared<const json>(json::parse(R"({"answer":42})"));
  CHECK(json::parse(show(reply).body).at("result") == json::parse(R"({"answer":42})"));
}

TEST_CASE("a paused run is accepted, and tells what it waits for") {
  auto reply = some_reply();
  reply.status = run_status::paused;
  reply.interruptions = {{"c1", interruption::kind::handoff, "helper", "transfer_to_x", nullptr}};
  const auto value = show(reply);
  CHECK(value.status == 202);
  auto body = json::parse(value.body);
  body.erase("usage");
  CHECK(body == json::parse(R"({"status":"paused","run_id":"r1","session_id":"s1","agent":"helper",
      "interruptions":[{"id":"c1","kind":"handoff","agent":"helper","tool":"transfer_to_x","arguments":{}}]})"));
}

TEST_CASE("a run is shown with what its status brings along") {
  run_record run;
  run.run_id = "r1";
  run.session_id = "s1";
  run.items = {user_message{"Hi"}};
  const auto shown = [&run] {
    auto body = json::parse(show(run).body);
    CHECK(body.at("items").size() == 1);
    CHECK(body.at("usage").at("requests") == 0);
    body.erase("items");
    body.erase("usage");
    return body;
  };
  CHECK(shown() == json::parse(R"({"run_id":"r1","session_id":"s1","status":"running","agent":null})"));
  run.agent = "helper";
  run.status = run_status::completed;
  run.result = "done";
  CHECK(shown() ==
        json::parse(
            R"({"run_id":"r1","session_id":"s1","status":"completed","agent":"helper","result":"done"})"));
  run.status = run_status::paused;
  CHECK(shown() ==
        json::parse(
            R"({"run_id":"r1","session_id":"s1","status":"paused","agent":"helper","interruptions":[]})"));
  run.status = run_status::failed;
  run.failure = fail(errc::guardrail_tripped, "no");
  run.failure->facts = std::make_shared<const json>(json::parse(R"({"guardrail":"pii"})"));
  CHECK(shown() == json::parse(R"({"run_id":"r1","session_id":"s1","status":"failed","agent":"helper",
      "error":{"error":"no","code":"guardrail_tripped","guardrail":"pii"}})"));
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

TEST_CASE("the head of a stream has no length, and chunks only where the client knows them") {
  CHECK(render_stream_head(true, true, "now") ==
        "HTTP/1.1 200 OK\r\nServer: troupe\r\nDate: now\r\nConnection: keep-alive\r\n"
        "Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
  const auto old = render_stream_head(false, false, "now");
  CHECK(old.find("Connection: close\r\n") != std::string::npos);
  CHECK(old.find("Transfer-Encoding") == std::string::npos);
}

TEST_CASE("a date is written as HTTP wants it") {
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
}
