#include "tests/actors/http/front_fixture.hpp"

#include "actors/metrics/memory_watch.hpp"
#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

std::string code_of(const raw_answer& answer) {
  return json::parse(answer.body).at("detail").at("code").get<std::string>();
}

const std::string chat_head =
    "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

config::server_options with(std::chrono::milliseconds config::server_options::*which) {
  auto options = front_fixture::quick_options();
  options.*which = 100ms;
  return options;
}

struct short_header_time : front_fixture {
  short_header_time() : front_fixture(with(&config::server_options::header_timeout)) {}
};
struct short_body_time : front_fixture {
  short_body_time() : front_fixture(with(&config::server_options::body_timeout)) {}
};
struct short_idle_time : front_fixture {
  short_idle_time() : front_fixture(with(&config::server_options::idle_timeout)) {}
};

struct two_connections : front_fixture {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.max_connections = 2;
    return bounds;
  }
  two_connections() : front_fixture(options()) {}
};

struct one_request : front_fixture {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.max_requests = 1;
    return bounds;
  }
  one_request() : front_fixture(options()) {}
};

struct no_memory : front_fixture {
  explicit no_memory(
      std::shared_ptr<std::atomic<std::size_t>> bytes = std::make_shared<std::atomic<std::size_t>>(1000))
      : front_fixture(quick_options(), {}, 1h,
                      std::make_shared<memory_watch>(1000, [bytes] { return bytes->load(); })),
        taken(std::move(bytes)) {}
  std::shared_ptr<std::atomic<std::size_t>> taken;
};

} // namespace

TEST_CASE_METHOD(front_fixture, "a body of the largest size is accepted, one byte more is not") {
  const std::string frame = R"({"prompt":""})";
  const auto body = [&](std::size_t size) {
    return R"({"prompt":")" + std::string(size - frame.size(), 'x') + R"("})";
  };
  raw_client client(port());
  CHECK(client.ask(post_chat(body(4096))).status == 200);
  const auto refused = client.ask(post_chat(body(4097)));
  CHECK(refused.status == 413);
  CHECK(code_of(refused) == "body_too_large");
  CHECK(refused.headers.at("connection") == "close");
  CHECK(raw_client(port())
            .ask(get("/metrics"))
            .body.find(R"(troupe_refusals_total{bound="body",name="",reason="body_too_large"} 1)") !=
        std::string::npos);
  client.close_sending_side();
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "a body that is announced too large is refused before it is sent") {
  raw_client client(port());
  CHECK(client.ask(chat_head + "Expect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n").status == 413);
}

TEST_CASE_METHOD(front_fixture, "a refusal reaches a client that sends on and reads only then") {
  raw_client client(port());
  client.send(chat_head + "Content-Length: 8000000\r\n\r\n");
  client.send(std::string(8'000'000, 'x'));
  CHECK(client.receive().status == 413);
}

TEST_CASE_METHOD(front_fixture, "a body may come in chunks, up to the same size") {
  raw_client client(port());
  const auto chunked = chat_head + "Transfer-Encoding: chunked\r\n\r\n";
  CHECK(client.ask(chunked + "5\r\n{\"pro\r\na\r\nmpt\":\"Hi\"}\r\n0\r\n\r\n").status == 200);
  client.send(chunked);
  for (int i = 0; i < 5; ++i)
    client.try_send("400\r\n" + std::string(0x400, 'x') + "\r\n");
  CHECK(client.receive().status == 413);
}

TEST_CASE_METHOD(front_fixture, "what is not HTTP is a bad request") {
  const std::string bytes = GENERATE(
      as<std::string>(), "nonsense\r\n\r\n", "GET /health HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: "
      "chunked\r\n\r\n",
      "\x16\x03\x01\x02");
  CAPTURE(bytes);
  raw_client client(port());
  const auto answer = client.ask(bytes);
  CHECK(answer.status == 400);
  CHECK(code_of(answer) == "bad_request");
  CHECK(answer.headers.at("connection") == "close");
  client.close_sending_side();
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "what cannot be read is refused after the answers that are owed before it") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold"})") + "nonsense\r\n\r\n");
  wait_for_held(1);
  release();
  CHECK(client.receive().status == 200);
  CHECK(client.receive().status == 400);
  client.close_sending_side();
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "too long a target and too many or too long headers are refused") {
  CHECK(raw_client(port()).ask(get("/" + std::string(9000, 'x'))).status == 414);
  CHECK(raw_client(port())
            .ask("GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20000, 'x') + "\r\n\r\n")
            .status == 431);
  std::string many = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 101; ++i)
    many += "X: y\r\n";
  CHECK(raw_client(port()).ask(many + "\r\n").status == 431);
}

TEST_CASE_METHOD(short_header_time, "a connection whose headers do not come is dropped") {
  raw_client silent(port());
  raw_client slow(port());
  slow.send("GET /health HTTP/1.1\r\nHos");
  CHECK(silent.closed_by_peer());
  CHECK(slow.closed_by_peer());
}

TEST_CASE_METHOD(short_header_time,
                 "the time for headers does not count while the connection rests or works") {
  raw_client client(port());
  CHECK(client.ask(get("/health")).status == 200);
  client.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  raw_client silent(port());
  CHECK(silent.closed_by_peer());
  release();
  CHECK(client.receive().status == 200);
  raw_client silent_too(port());
  CHECK(silent_too.closed_by_peer());
  CHECK(client.ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(short_body_time, "a connection whose body does not come is dropped") {
  raw_client client(port());
  client.send(chat_head + "Content-Length: 15\r\n\r\n{\"pro");
  CHECK(client.closed_by_peer());
}

TEST_CASE_METHOD(short_idle_time, "a connection that is idle is dropped, one that works is not") {
  raw_client busy(port());
  busy.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  raw_client idle(port());
  CHECK(idle.ask(get("/health")).status == 200);
  CHECK(idle.closed_by_peer());
  release();
  CHECK(busy.receive().status == 200);
  CHECK(busy.closed_by_peer());
}

TEST_CASE_METHOD(two_connections,
                 "past the bound, a connection is told so, and others are served again later") {
  auto first = std::make_unique<raw_client>(port());
  raw_client second(port());
  CHECK(first->ask(get("/health")).status == 200);
  CHECK(second.ask(get("/health")).status == 200);
  {
    raw_client third(port());
    // Without a request.
    const auto refused = third.receive();
    CHECK(refused.status == 503);
    CHECK(code_of(refused) == "overloaded");
    CHECK(refused.headers.at("retry-after") == "1");
    CHECK(refused.headers.at("connection") == "close");
    CHECK(third.closed_by_peer());
  }
  CHECK(second.ask(post_chat(R"({"prompt":"x"})")).status == 200);
  first.reset();
  auto status = 503;
  while (status == 503) {
    raw_client next(port());
    next.try_send(get("/health"));
    status = next.receive().status;
  }
  CHECK(status == 200);
  CHECK(second.ask(get("/metrics")).body.find(R"(troupe_bound_limit{bound="connections",name=""} 2)") !=
        std::string::npos);
}

TEST_CASE_METHOD(one_request, "past the bound of requests in work further ones are refused at once") {
  raw_client first(port());
  first.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  raw_client second(port());
  const auto refused = second.ask(post_chat(R"({"prompt":"x"})"));
  CHECK(refused.status == 503);
  CHECK(code_of(refused) == "overloaded");
  CHECK(refused.headers.at("retry-after") == "1");
  CHECK(second.ask(get("/api/v1/sessions/s")).status == 503);
  // What people look at in such times.
  CHECK(second.ask(get("/health")).status == 200);
  CHECK(second.ask(get("/api/v1/mcp")).status == 200);
  const auto told = second.ask(get("/metrics")).body;
  CHECK(told.find(R"(troupe_refusals_total{bound="requests",name="",reason="overloaded"} 2)") !=
        std::string::npos);
  release();
  CHECK(first.receive().status == 200);
  CHECK(second.ask(post_chat(R"({"prompt":"x"})")).status == 200);
}

TEST_CASE_METHOD(no_memory,
                 "a front end that is short of memory begins and shows no runs, and answers all else") {
  raw_client client(port());
  const auto refused = client.ask(post_chat(R"({"prompt":"x"})"));
  CHECK(refused.status == 503);
  CHECK(code_of(refused) == "memory_short");
  CHECK(refused.headers.at("retry-after") == "1");
  CHECK(client.ask(post("/api/v1/runs/r/resume", R"({"decisions":[]})")).status == 503);
  CHECK(client.ask(get("/api/v1/agents")).status == 200);
  for (const char* path :
       {"/api/v1/runs/run_over", "/api/v1/runs/run_over/events", "/api/v1/sessions/known"}) {
    CAPTURE(path);
    const auto shown = client.ask(get(path));
    CHECK(shown.status == 503);
    CHECK(shown.headers.at("retry-after") == "1");
  }
  CHECK(client.ask(get("/api/v1/sessions/known", "DELETE")).status != 503);
  CHECK(client.ask(post("/api/v1/runs/r/cancel", "")).status != 503);
  *taken = 0;
  auto status = 503;
  while (status == 503)
    status = client.ask(post_chat(R"({"prompt":"x"})")).status;
  CHECK(status == 200);
}

TEST_CASE_METHOD(front_fixture, "metrics tell of requests by route and status, in Prometheus' text format") {
  raw_client client(port());
  client.ask(get("/health"));
  client.ask(get("/nowhere"));
  client.ask(post_chat(R"({"prompt":"x"})"));
  client.ask(post_chat("{"));
  const auto told = client.ask(get("/metrics"));
  CHECK(told.status == 200);
  CHECK(told.headers.at("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  for (const std::string line : {
           R"(troupe_http_requests_total{method="POST",route="/api/v1/chat",status="200"} 1)",
           R"(troupe_http_requests_total{method="POST",route="/api/v1/chat",status="400"} 1)",
           R"(troupe_http_requests_total{method="",route="-",status="404"} 1)",
           R"(troupe_http_request_duration_seconds_count{method="POST",route="/api/v1/chat"} 2)",
       }) {
    CAPTURE(line);
    CHECK(told.body.find("\n" + line + "\n") != std::string::npos);
  }
  CHECK(told.body.find("process_resident_memory_bytes ") != std::string::npos);
  CHECK(client.ask(get("/metrics", "POST")).status == 405);
}
