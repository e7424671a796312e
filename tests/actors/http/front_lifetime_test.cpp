#include "tests/actors/http/front_fixture.hpp"

#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <caf/send.hpp>

#include <string>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

TEST_CASE_METHOD(front_fixture, "a port that is in use is a readable error, now and later") {
  auto options = quick_options();
  options.port = port();
  const auto second = spawn(options);
  const auto expected = fmt::format("cannot listen on 127.0.0.1:{}: address in use", port());
  for (int i = 0; i < 2; ++i) {
    const auto outcome = port_of(second);
    REQUIRE(outcome.has_error());
    CHECK(outcome.error().code == errc::io_failed);
    CHECK(outcome.error().detail == expected);
  }
  begin_stop(second, 0ms);
  wait_for_stop();
  wait_for_exit(second);
}

TEST_CASE_METHOD(front_fixture, "a host is an address or localhost") {
  for (const char* host : {"localhost", "0.0.0.0", "127.0.0.2"}) {
    CAPTURE(host);
    auto options = quick_options();
    options.host = host;
    options.insecure = true;
    CHECK(port_of(spawn(options)).value() != 0);
  }
  auto options = quick_options();
  options.insecure = true;
  options.host = "no such host";
  const auto outcome = port_of(spawn(options));
  REQUIRE(outcome.has_error());
  CHECK(outcome.error().detail ==
        "cannot listen on no such host:0: not an IP address; use one, or localhost");
  options.host = "2001:db8::1";
  options.port = 8000;
  const auto elsewhere = port_of(spawn(options));
  REQUIRE(elsewhere.has_error());
  CHECK(elsewhere.error().detail.starts_with("cannot listen on [2001:db8::1]:8000: "));
}

TEST_CASE_METHOD(front_fixture, "stopping closes idle connections and the port, and ends the actor") {
  raw_client idle(port());
  CHECK(idle.ask(get("/health")).status == 200);
  stop(10s);
  CHECK(idle.closed_by_peer());
  CHECK_THROWS(raw_client(port()));
  wait_for_exit(front);
}

TEST_CASE_METHOD(front_fixture, "stopping lets a request in flight finish, and closes its connection then") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold"})"));
  raw_client idle(port());
  CHECK(idle.ask(get("/health")).status == 200);
  wait_for_held(1);
  begin_stop(20s);
  CHECK(idle.closed_by_peer());
  CHECK_THROWS(raw_client(port()));
  release();
  const auto answer = client.receive();
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("connection") == "close");
  CHECK(client.closed_by_peer());
  wait_for_stop();
}

TEST_CASE_METHOD(front_fixture, "stopping waits no longer than its grace") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  stop(50ms);
  CHECK(client.receive().status == 503);
  CHECK(client.closed_by_peer());
  wait_for_exit(front);
  release();
}

TEST_CASE_METHOD(front_fixture, "an actor that is made to exit closes its port") {
  raw_client idle(port());
  CHECK(idle.ask(get("/health")).status == 200);
  caf::anon_send_exit(front, caf::exit_reason::user_shutdown);
  wait_for_exit(front);
  CHECK(idle.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "a front end that nobody refers to any more closes its port") {
  raw_client idle(port());
  CHECK(idle.ask(get("/health")).status == 200);
  front = nullptr;
  CHECK(idle.closed_by_peer());
}

TEST_CASE_METHOD(front_fixture, "the reactor may go down first, even with requests in flight") {
  raw_client client(port());
  client.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  reactor.reset();
  CHECK(client.closed_by_peer());
  release();
  stop(10s);
  wait_for_exit(front);
}
