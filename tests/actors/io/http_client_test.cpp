#include "tests/actors/io/http_fixture.hpp"
#include "tests/actors/io/tcp_server.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// Answers each request of a connection with its number on that connection.
void serve_counting(peer& client) {
  for (int n = 1; client.read_request(); ++n)
    client.write(ok_answer(std::to_string(client.number()) + "/" + std::to_string(n)));
}

} // namespace

TEST_CASE("a request goes out in full, and its answer comes back") {
  std::promise<std::string> seen;
  tcp_server server([&](peer& client) {
    seen.set_value(*client.read_request());
    client.write("HTTP/1.1 201 Created\r\nX-Thing: one\r\nx-thing: two\r\nContent-Length: 5\r\n\r\nhello");
    client.client_closes();
  });
  http_fixture http;
  http.open_at(server.url() + "/v1/");
  auto [id, outcome] =
      http.send({.target = "/chat?a=1",
                 .headers = {{"Authorization", "Bearer k"}, {"Connection", "close"}, {"content-length", "9"}},
                 .body = "{}"});
  auto got = await(outcome);
  REQUIRE(got.answer);
  CHECK(got.answer->status == 201);
  CHECK(got.answer->header("X-THING") == "one");
  CHECK(got.answer->header("other").empty());
  CHECK(got.answer->body == "hello");
  CHECK(await(seen) == "POST /v1/chat?a=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                           "\r\nAuthorization: Bearer k\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_CASE("requests that follow each other share one connection") {
  tcp_server server(serve_counting);
  http_fixture http;
  http.open_at(server.url());
  CHECK(http.ask().answer->body == "1/1");
  CHECK(http.ask().answer->body == "1/2");
  CHECK(http.ask().answer->body == "1/3");
  CHECK(server.accepted() == 1);
  CHECK(http.client->open_connections() == 1);
}

TEST_CASE("no more connections are opened than allowed, and the queue is served in order") {
  watched<int> busy;
  std::promise<void> go;
  auto gone = go.get_future().share();
  std::atomic<int> most{0};
  tcp_server server([&](peer& client) {
    while (auto request = client.read_request()) {
      busy.change([&](int& n) { most = std::max<int>(most, ++n); });
      gone.wait();
      busy.change([](int& n) { --n; });
      client.write(ok_answer(request->substr(request->find("\r\n\r\n") + 4)));
    }
  });
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 2});
  std::vector<std::future<http_outcome>> outcomes;
  for (int i = 0; i < 8; ++i)
    outcomes.push_back(http.post(std::to_string(i)));
  REQUIRE(busy.becomes([](int n) { return n == 2; }));
  go.set_value();
  for (int i = 0; i < 8; ++i)
    CHECK(await(outcomes[static_cast<std::size_t>(i)]).answer->body == std::to_string(i));
  CHECK(most == 2);
  CHECK(server.accepted() == 2);
}

TEST_CASE("past the bound of the queue a request fails at once") {
  std::promise<void> go;
  auto gone = go.get_future().share();
  tcp_server server([&](peer& client) {
    while (client.read_request()) {
      gone.wait();
      client.write(ok_answer(""));
    }
  });
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1, .max_queue = 2});
  std::vector<std::future<http_outcome>> outcomes;
  for (int i = 0; i < 3; ++i)
    outcomes.push_back(http.post());
  auto refused = http.ask();
  CHECK(refused.failure.reason.code == errc::overloaded);
  CHECK_FALSE(refused.failure.connection_error);
  go.set_value();
  for (auto& outcome : outcomes)
    CHECK(await(outcome).answer);
}

TEST_CASE("a request that gets no answer in time fails, and its connection is closed") {
  std::promise<bool> closed;
  tcp_server server([&](peer& client) {
    client.read_request();
    closed.set_value(client.client_closes());
  });
  http_fixture http;
  http.open_at(server.url());
  auto got = http.ask("", 50ms);
  CHECK(got.failure.reason.code == errc::deadline_exceeded);
  CHECK(got.failure.reason.detail ==
        "no answer from 127.0.0.1:" + std::to_string(server.port()) + " within 0.05 s");
  CHECK_FALSE(got.failure.connection_error);
  CHECK(await(closed));
  CHECK(http.client->open_connections() == 0);
}

TEST_CASE("time spent in the queue counts") {
  tcp_server server([](peer& client) {
    client.read_request();
    client.client_closes();
  });
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1});
  auto first = http.post();
  CHECK(http.ask("", 20ms).failure.reason.code == errc::deadline_exceeded);
  CHECK(first.wait_for(0s) == std::future_status::timeout);
  http.client.reset();
  CHECK(await(first).failure.reason.code == errc::cancelled);
}

TEST_CASE("a request in flight and a queued one can be cancelled") {
  std::promise<void> asked;
  std::promise<bool> closed;
  tcp_server server([&](peer& client) {
    client.read_request();
    if (client.number() == 1) {
      asked.set_value();
      closed.set_value(client.client_closes());
    } else {
      client.write(ok_answer("third"));
      client.client_closes();
    }
  });
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1});
  auto [first, first_outcome] = http.send({});
  auto [second, second_outcome] = http.send({});
  auto third = http.post();
  await(asked);
  http.client->cancel(second);
  CHECK(await(second_outcome).failure.reason.code == errc::cancelled);
  http.client->cancel(first);
  CHECK(await(first_outcome).failure.reason.code == errc::cancelled);
  CHECK(await(closed));
  CHECK(await(third).answer->body == "third");
  http.client->cancel(first);
  http.client->cancel(12345);
}

TEST_CASE("a kept connection that has gone stale is replaced once") {
  const int stale_connections = GENERATE(1, 2);
  tcp_server server([&](peer& client) {
    client.read_request();
    // The first connection serves once; from then on some close without a word.
    if (client.number() == 1) {
      client.write(ok_answer("first"));
      client.read_request();
    } else if (client.number() > stale_connections) {
      client.write(ok_answer("fresh"));
      client.client_closes();
    }
  });
  http_fixture http;
  http.open_at(server.url());
  REQUIRE(http.ask().answer->body == "first");
  auto second = http.ask("again");
  CHECK(server.accepted() == 2);
  if (stale_connections == 1) {
    REQUIRE(second.answer);
    CHECK(second.answer->body == "fresh");
  } else {
    CHECK(second.failure.connection_error);
    CHECK(second.failure.reason.code == errc::io_failed);
  }
}

TEST_CASE("a fresh connection that closes without an answer is an error at once") {
  tcp_server server([](peer& client) { client.read_request(); });
  http_fixture http;
  http.open_at(server.url());
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK(got.failure.reason.detail ==
        "127.0.0.1:" + std::to_string(server.port()) + " closed the connection without an answer");
  CHECK(server.accepted() == 1);
}

TEST_CASE("a kept connection is not replaced once a byte of the answer came") {
  tcp_server server([](peer& client) {
    client.read_request();
    client.write(ok_answer("first"));
    client.read_request();
    client.write("H");
  });
  http_fixture http;
  http.open_at(server.url());
  REQUIRE(http.ask().answer);
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK(server.accepted() == 1);
}

TEST_CASE("Connection: close is honoured") {
  std::promise<bool> closed;
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    if (client.number() == 1)
      closed.set_value(client.client_closes());
  });
  http_fixture http;
  http.open_at(server.url());
  CHECK(http.ask().answer->body == "ok");
  CHECK(await(closed));
  CHECK(http.ask().answer->body == "ok");
  CHECK(server.accepted() == 2);
}

TEST_CASE("an idle connection is closed after a while") {
  std::promise<bool> closed;
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write(ok_answer(""));
    closed.set_value(client.client_closes());
  });
  http_fixture http;
  http.open({.base_url = server.url(), .idle_timeout = 30ms});
  CHECK(http.ask().answer);
  CHECK(await(closed));
}

TEST_CASE("a refused connection says who refused it") {
  const auto port = std::to_string(unused_port());
  http_fixture http;
  http.open_at("http://127.0.0.1:" + port);
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK(got.failure.reason == error{errc::io_failed, "connection refused by 127.0.0.1:" + port});
  CHECK(http.client->open_connections() == 0);
}

TEST_CASE("all that wait are told when the origin cannot be reached") {
  http_fixture http;
  http.open({.base_url = "http://127.0.0.1:" + std::to_string(unused_port()), .max_connections = 1});
  std::vector<std::future<http_outcome>> outcomes;
  for (int i = 0; i < 20; ++i)
    outcomes.push_back(http.post());
  for (auto& outcome : outcomes)
    CHECK(await(outcome).failure.connection_error);
}

TEST_CASE("names are looked up, and every address is tried") {
  tcp_server server(serve_counting);
  http_fixture http;
  // Where localhost is ::1 first, that address refuses.
  http.open_at(server.url("http", "localhost"));
  CHECK(http.ask().answer->body == "1/1");
}

TEST_CASE("a request that cannot be written down is refused") {
  http_fixture http;
  http.open_at("http://127.0.0.1:1");
  auto code = [&](io::http_request request) {
    auto outcome = http.send(std::move(request)).second;
    return await(outcome).failure.reason.code;
  };
  CHECK(code({.headers = {{"X", "a\r\nEvil: b"}}}) == errc::invalid_argument);
  CHECK(code({.headers = {{"X: y", "a"}}}) == errc::invalid_argument);
  CHECK(code({.target = "/a b"}) == errc::invalid_argument);
  CHECK(code({.target = "no-slash"}) == errc::invalid_argument);
  CHECK(code({.method = "GE T"}) == errc::invalid_argument);
}

TEST_CASE("the end of a client cancels what is in flight before its destructor returns") {
  std::promise<void> asked;
  tcp_server server([&](peer& client) {
    client.read_request();
    asked.set_value();
    client.client_closes();
  });
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1});
  auto flying = http.post();
  auto queued = http.post();
  await(asked);
  http.client.reset();
  REQUIRE(flying.wait_for(0s) == std::future_status::ready);
  REQUIRE(queued.wait_for(0s) == std::future_status::ready);
  CHECK(flying.get().failure.reason.code == errc::cancelled);
  CHECK(queued.get().failure.reason.code == errc::cancelled);
}

TEST_CASE("a handler may destroy its client") {
  tcp_server server(serve_counting);
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1});
  std::promise<std::string> answered;
  http.client->send({}, [&](auto answer, auto) {
    http.client.reset();
    answered.set_value(answer->body);
  });
  auto queued = http.post();
  CHECK(await(answered) == "1/1");
  CHECK(await(queued).failure.reason.code == errc::cancelled);
}

TEST_CASE("a client that outlives nothing may go while a handler runs") {
  tcp_server server(serve_counting);
  http_fixture http;
  http.open_at(server.url());
  std::promise<void> entered;
  std::promise<void> leave;
  std::atomic<bool> left{false};
  http.client->send({}, [&](auto, auto) {
    entered.set_value();
    leave.get_future().wait();
    left = true;
  });
  await(entered);
  std::thread releaser([&] { leave.set_value(); });
  http.client.reset();
  CHECK(left);
  releaser.join();
}

TEST_CASE("every handler is called once, whoever sends, cancels or times out") {
  tcp_server server(serve_counting);
  http_fixture http;
  http.open({.base_url = server.url(), .max_connections = 4});
  watched<std::vector<int>> calls;
  calls.change([](auto& counts) { counts.resize(400); });
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t)
    senders.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto slot = static_cast<std::size_t>(100 * t + i);
        auto id = http.client->send({.timeout = i % 7 == 0 ? 0ms : 20'000ms}, [&, slot](auto, auto) {
          calls.change([&](auto& counts) { ++counts[slot]; });
        });
        if (i % 3 == 0)
          http.client->cancel(id);
      }
    });
  for (auto& sender : senders)
    sender.join();
  CHECK(calls.becomes([](const auto& counts) {
    return std::all_of(counts.begin(), counts.end(), [](int n) { return n > 0; });
  }));
  http.client.reset();
  CHECK(calls.get() == std::vector<int>(400, 1));
}
