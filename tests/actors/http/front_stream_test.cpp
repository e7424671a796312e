#include "tests/actors/http/front_fixture.hpp"

#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

std::string code(errc which) {
  return std::to_string(static_cast<int>(which));
}

/// A chat on the session "s1".
std::string streamed(const std::string& prompt, std::string_view headers = {}) {
  return post("/api/v1/chat", R"({"prompt":")" + prompt + R"(","session_id":"s1","stream":true})", headers);
}

/// What is left of a stream, comments left out.
std::vector<raw_event> events_of(raw_client& client) {
  std::vector<raw_event> events;
  while (auto event = client.receive_event())
    if (event->comment.empty())
      events.push_back(std::move(*event));
  return events;
}

std::vector<std::string> names_of(const std::vector<raw_event>& events) {
  std::vector<std::string> names;
  for (const auto& event : events)
    names.push_back(event.name);
  return names;
}

/// Receives until the run has told its text.
void receive_start(raw_client& client) {
  REQUIRE(client.receive_head().status == 200);
  while (client.receive_event().value().name != "text_delta")
    ;
}

struct often_alive : front_fixture {
  often_alive() : front_fixture(quick_options(), {.keep_alive = 20ms}) {}
};

struct impatient : front_fixture {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.body_timeout = 300ms;
    return bounds;
  }
  impatient() : front_fixture(options(), {.buffer_bytes = 64u << 10}) {}
};

} // namespace

TEST_CASE_METHOD(front_fixture, "a streamed run is told event by event, and ends with the answer") {
  raw_client client(port());
  client.send(streamed("told Hi"));
  const auto head = client.receive_head();
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-type") == "text/event-stream");
  CHECK(head.headers.at("cache-control") == "no-store");
  CHECK(head.headers.at("x-accel-buffering") == "no");
  CHECK(head.headers.at("transfer-encoding") == "chunked");
  CHECK(head.headers.at("connection") == "keep-alive");
  const auto events = events_of(client);
  CHECK(names_of(events) ==
        std::vector<std::string>{"run_started", "agent_started", "text_delta", "run_completed"});
  for (std::size_t i = 0; i < events.size(); ++i)
    CHECK(events[i].id == std::to_string(i + 1));
  const auto started = json::parse(events.at(0).data);
  const auto completed = json::parse(events.at(3).data);
  CHECK(started.at("session_id") == "s1");
  CHECK(started.at("run_id") == completed.at("run_id"));
  auto plain = json::parse(client.ask(post_chat(R"({"prompt":"told Hi","session_id":"s1"})")).body);
  plain["run_id"] = completed.at("run_id");
  CHECK(completed == plain);
}

TEST_CASE_METHOD(front_fixture, "an Accept of events streams, and of anything else does not") {
  raw_client client(port());
  client.send(post("/api/v1/chat", R"({"prompt":"x"})", "Accept: text/event-stream\r\n"));
  CHECK(client.receive_head().headers.at("content-type") == "text/event-stream");
  CHECK(names_of(events_of(client)) == std::vector<std::string>{"run_completed"});
  CHECK(client.ask(post("/api/v1/chat", R"({"prompt":"x"})", "Accept: */*\r\n")).headers.at("content-type") ==
        "application/json");
}

TEST_CASE_METHOD(front_fixture, "what fails before the first event is answered as if it were not streamed") {
  raw_client client(port());
  const auto overloaded = client.ask(streamed("fail " + code(errc::overloaded)));
  CHECK(overloaded.status == 429);
  CHECK(overloaded.headers.at("content-type") == "application/json");
  CHECK(overloaded.headers.at("retry-after") == "1");
  const auto detail = json::parse(overloaded.body).at("detail");
  CHECK(detail.at("session_id") == "s1");
  CHECK(detail.at("run_id").get<std::string>().starts_with("run_"));
  CHECK(client.ask(post_chat(R"({"prompt":"x","agent":"nobody","stream":true})")).status == 404);
  CHECK(client.ask(post_chat(R"({"stream":true})")).status == 422);
  CHECK(client.ask(post_chat("{", "Accept: text/event-stream\r\n")).status == 400);
}

TEST_CASE_METHOD(front_fixture, "what fails later is the last event, with the status it would have had") {
  raw_client client(port());
  client.send(streamed("told fail " + code(errc::model_failed)));
  REQUIRE(client.receive_head().status == 200);
  const auto events = events_of(client);
  REQUIRE(events.size() == 4);
  CHECK(events[3].name == "run_failed");
  CHECK(events[3].id == "4");
  const auto failed = json::parse(events[3].data);
  CHECK(failed.at("status") == 502);
  CHECK(failed.at("detail").at("code") == "model_failed");
  CHECK(failed.at("detail").at("session_id") == "s1");
  CHECK(failed.at("detail").at("run_id") == json::parse(events[0].data).at("run_id"));
  CHECK(client.ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(front_fixture, "a stream that pauses ends with what it waits for") {
  raw_client client(port());
  client.send(streamed("told pause"));
  REQUIRE(client.receive_head().status == 200);
  const auto last = events_of(client).back();
  CHECK(last.name == "approval_required");
  CHECK(json::parse(last.data).at("status") == "paused");
  CHECK(json::parse(last.data).at("interruptions").at(0).at("id") == "c1");
}

TEST_CASE_METHOD(front_fixture, "a client of HTTP/1.0 gets its stream without chunks, until it is closed") {
  raw_client client(port());
  const std::string body = R"({"prompt":"told Hi","stream":true})";
  client.send("POST /api/v1/chat HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto head = client.receive_head();
  CHECK(head.headers.count("transfer-encoding") == 0);
  CHECK(head.headers.at("connection") == "close");
  CHECK(names_of(events_of(client)) ==
        std::vector<std::string>{"run_started", "agent_started", "text_delta", "run_completed"});
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "a client that wants its connection closed gets its stream first") {
  raw_client client(port());
  client.send(streamed("told Hi", "Connection: close\r\n"));
  CHECK(client.receive_head().headers.at("connection") == "close");
  CHECK(events_of(client).back().name == "run_completed");
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "streams and answers that were pipelined come in order") {
  raw_client client(port());
  client.send(streamed("told hold") + get("/health") + streamed("told second") + get("/nowhere"));
  wait_for_held(1);
  release();
  REQUIRE(client.receive_head().status == 200);
  CHECK(events_of(client).back().name == "run_completed");
  CHECK(client.receive().body == R"({"status":"ok"})");
  REQUIRE(client.receive_head().status == 200);
  CHECK(json::parse(events_of(client).back().data).at("result") == "second");
  CHECK(client.receive().status == 404);
}

TEST_CASE_METHOD(front_fixture, "an Accept of several lines is one list") {
  raw_client client(port());
  client.send(post("/api/v1/chat", R"({"prompt":"x"})",
                   "Accept: text/plain;q=0.1\r\nAccept: text/event-stream\r\nAccept: */*\r\n"));
  CHECK(client.receive_head().headers.at("content-type") == "text/event-stream");
  CHECK(names_of(events_of(client)) == std::vector<std::string>{"run_completed"});
}

TEST_CASE_METHOD(front_fixture, "what cannot be read behind a stream is refused after the stream") {
  raw_client client(port());
  client.send(streamed("told hold") + get("/health"));
  receive_start(client);
  client.send("this is no request\r\n\r\n");
  wait_for_held(1);
  release();
  CHECK(names_of(events_of(client)) == std::vector<std::string>{"run_completed"});
  CHECK(client.receive().status == 200);
  CHECK(client.receive().status == 400);
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "a broken body behind a stream is refused in its turn") {
  raw_client client(port());
  client.send(streamed("told hold") + post_chat(R"({"prompt":"x","stream":true,)") + streamed("told Hi"));
  receive_start(client);
  wait_for_held(1);
  release();
  CHECK(names_of(events_of(client)) == std::vector<std::string>{"run_completed"});
  const auto refused = client.receive();
  CHECK(refused.status == 400);
  CHECK(refused.headers.at("content-type") == "application/json");
  REQUIRE(client.receive_head().status == 200);
  CHECK(events_of(client).size() == 4);
}

TEST_CASE_METHOD(front_fixture, "a client that has closed its sending side gets all that it pipelined") {
  raw_client client(port());
  client.send(streamed("told hold") + get("/health") + streamed("told Hi"));
  client.close_sending_side();
  receive_start(client);
  wait_for_held(1);
  release();
  CHECK(events_of(client).back().name == "run_completed");
  CHECK(client.receive().status == 200);
  REQUIRE(client.receive_head().status == 200);
  CHECK(events_of(client).back().name == "run_completed");
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "a client that goes away cancels the streams that it pipelined") {
  {
    raw_client client(port());
    client.send(streamed("told Hi") + streamed("hold") + get("/health"));
    wait_for_held(1);
    REQUIRE(client.receive_head().status == 200);
    CHECK(events_of(client).back().name == "run_completed");
    client.reset();
  }
  CHECK(wait_for_cancelled().starts_with("run_"));
}

TEST_CASE_METHOD(front_fixture, "HEAD never streams") {
  raw_client client(port());
  client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
  CHECK(client.receive(true).headers.at("content-type") == "application/json");
  client.send("HEAD /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
  CHECK(client.receive(true).status == 405);
  client.send(get("/api/v1/runs/run_over/events", "HEAD"));
  auto head = client.receive(true);
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-type") == "text/event-stream");
  CHECK(head.headers.count("content-length") == 0);
  client.send(get("/api/v1/runs/nowhere/events", "HEAD"));
  CHECK(client.receive(true).status == 404);
  CHECK(client.ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(front_fixture, "a client that goes away cancels its streamed run") {
  const bool in_order = GENERATE(true, false);
  std::string run_id;
  {
    raw_client client(port());
    client.send(streamed("told hold"));
    wait_for_held(1);
    REQUIRE(client.receive_head().status == 200);
    run_id = json::parse(client.receive_event().value().data).at("run_id").get<std::string>();
    while (client.receive_event().value().name != "text_delta")
      ;
    if (!in_order)
      client.reset();
  }
  CHECK(wait_for_cancelled() == run_id);
  CHECK(raw_client(port()).ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(front_fixture,
                 "a client that goes away before the first event cancels its streamed run too") {
  raw_client client(port());
  client.send(streamed("hold"));
  wait_for_held(1);
  client.reset();
  CHECK(wait_for_cancelled().starts_with("run_"));
}

TEST_CASE_METHOD(front_fixture,
                 "a run without a stream is cancelled as its client goes away, where that is asked for") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold","on_disconnect":"cancel"})"));
  wait_for_held(1);
  // As the kernel does it for a client that closes its connection in order.
  client.close_sending_side();
  CHECK(wait_for_cancelled().starts_with("run_"));
}

TEST_CASE_METHOD(front_fixture, "a client that leaves does not cancel what another one with its key reads") {
  const auto keyed = streamed("hold", "Idempotency-Key: k\r\n");
  raw_client first(port());
  first.send(keyed);
  wait_for_held(1);
  raw_client second(port());
  second.send(keyed);
  wait_for_held(2);
  first.reset();
  const bool both_leave = GENERATE(false, true);
  if (both_leave) {
    second.reset();
    CHECK(wait_for_cancelled().starts_with("run_"));
    return;
  }
  std::string other_run;
  {
    raw_client other(port());
    other.send(streamed("told hold"));
    REQUIRE(other.receive_head().status == 200);
    other_run = json::parse(other.receive_event().value().data).at("run_id").get<std::string>();
    wait_for_held(3);
  }
  CHECK(wait_for_cancelled() == other_run);
}

TEST_CASE_METHOD(front_fixture, "a client that closed only its sending side gets all of its stream") {
  raw_client client(port());
  client.send(streamed("told hold"));
  client.close_sending_side();
  wait_for_held(1);
  REQUIRE(client.receive_head().status == 200);
  // The server tries whether the client is still there.
  for (bool told = false, tried = false; !told || !tried;) {
    const auto event = client.receive_event().value();
    told = told || event.name == "text_delta";
    tried = tried || event.comment == "keep-alive";
  }
  release();
  CHECK(names_of(events_of(client)) == std::vector<std::string>{"run_completed"});
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(often_alive, "a stream on which nothing happens is kept alive by comments") {
  raw_client client(port());
  client.send(streamed("told hold"));
  receive_start(client);
  for (int i = 0; i < 3; ++i)
    CHECK(client.receive_event().value().comment == "keep-alive");
  wait_for_held(1);
  release();
  const auto events = events_of(client);
  REQUIRE(events.size() == 1);
  CHECK(events[0].id == "4");
}

TEST_CASE_METHOD(often_alive, "a stream whose run waits begins all the same, and is kept alive") {
  raw_client client(port());
  client.send(streamed("hold"));
  const auto head = client.receive_head();
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-type") == "text/event-stream");
  for (int i = 0; i < 2; ++i)
    CHECK(client.receive_event().value().comment == "keep-alive");
  wait_for_held(1);
  release();
  const auto events = events_of(client);
  REQUIRE(names_of(events) == std::vector<std::string>{"run_completed"});
  CHECK(events[0].id == "1");
}

TEST_CASE_METHOD(often_alive, "a run that fails after its stream has begun without it is told so there") {
  raw_client client(port());
  client.send(streamed("hold fail " + code(errc::unknown_agent)));
  CHECK(client.receive_head().status == 200);
  wait_for_held(1);
  release();
  const auto events = events_of(client);
  REQUIRE(names_of(events) == std::vector<std::string>{"run_failed"});
  CHECK(json::parse(events[0].data).at("status") == 404);
}

TEST_CASE_METHOD(often_alive, "a client that goes away while its run waits cancels it") {
  raw_client client(port());
  client.send(streamed("hold"));
  CHECK(client.receive_head().status == 200);
  wait_for_held(1);
  client.reset();
  CHECK(wait_for_cancelled().starts_with("run_"));
}

TEST_CASE_METHOD(impatient, "a client that does not read holds its run back, and is dropped in the end") {
  raw_client client(port());
  client.send(streamed("flood for ever"));
  CHECK(wait_for_cancelled().starts_with("run_"));
  // What the kernel's buffers take, and what may wait here; without the bound it would be gigabytes.
  CHECK(*flooded < (32u << 20));
}

TEST_CASE_METHOD(front_fixture, "a slow reader holds back only its own run, and misses nothing") {
  raw_client slow(port());
  slow.send(streamed("flood 1000"));
  REQUIRE(slow.receive_head().status == 200);
  raw_client quick(port());
  for (int i = 0; i < 3; ++i) {
    quick.send(streamed("told Hi"));
    REQUIRE(quick.receive_head().status == 200);
    CHECK(events_of(quick).size() == 4);
  }
  const auto events = events_of(slow);
  REQUIRE(events.size() == 1001);
  std::size_t in_order = 0;
  for (const auto& event : events)
    in_order += event.id == std::to_string(in_order + 1) ? 1 : 0;
  CHECK(in_order == 1001);
  CHECK(json::parse(events[999].data).at("text").get<std::string>().size() == 16384);
  CHECK(events[1000].name == "run_completed");
}

TEST_CASE_METHOD(front_fixture, "stopping lets a stream finish") {
  raw_client client(port());
  client.send(streamed("told hold"));
  receive_start(client);
  wait_for_held(1);
  raw_client idle(port());
  CHECK(idle.ask(get("/health")).status == 200);
  begin_stop(20s);
  CHECK(idle.closed_by_peer());
  release();
  CHECK(events_of(client).back().name == "run_completed");
  CHECK(client.closed_by_peer());
  wait_for_stop();
}

TEST_CASE_METHOD(front_fixture,
                 "a stream that does not finish in time is told so, and its run is cancelled") {
  raw_client client(port());
  client.send(streamed("told hold"));
  receive_start(client);
  wait_for_held(1);
  stop(50ms);
  const auto events = events_of(client);
  REQUIRE(events.size() == 1);
  CHECK(events[0].name == "run_failed");
  CHECK(events[0].id.empty());
  CHECK(json::parse(events[0].data).at("detail").at("code") == "shutting_down");
  CHECK(json::parse(events[0].data).at("status") == 503);
  CHECK(client.closed_by_peer());
  CHECK(wait_for_cancelled().starts_with("run_"));
}

TEST_CASE_METHOD(front_fixture, "a front end that is made to exit cancels what it streams") {
  raw_client client(port());
  client.send(streamed("told hold"));
  receive_start(client);
  caf::anon_send_exit(front, caf::exit_reason::kill);
  CHECK(wait_for_cancelled().starts_with("run_"));
  CHECK(events_of(client).back().name == "run_failed");
}

TEST_CASE_METHOD(front_fixture, "the reactor may go down in the middle of a stream") {
  raw_client client(port());
  client.send(streamed("told hold"));
  receive_start(client);
  reactor.reset();
  CHECK_THROWS(client.receive_event());
  wait_for_held(1);
  release();
  stop(10s);
}
