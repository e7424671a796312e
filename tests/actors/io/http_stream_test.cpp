#include "tests/actors/io/stream_fixture.hpp"
#include "tests/actors/io/tcp_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

const std::string chunked_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

const std::string last_chunk = "0\r\n\r\n";

/// What a stream makes of these bytes, after which the connection closes or stays open.
stream_log outcome_of(std::string_view bytes, bool close_after, io::http_request request = {}) {
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write(bytes);
    if (!close_after)
      client.client_closes();
  });
  stream_fixture http;
  http.open({.base_url = server.url(), .max_response_bytes = 1000, .max_header_bytes = 2000});
  return http.start(std::move(request)).whole();
}

/// Answers all requests of a connection with a stream of the request's body, in two chunks.
void serve_echo(peer& client) {
  while (auto request = client.read_request()) {
    auto body = request->substr(request->find("\r\n\r\n") + 4);
    client.write(chunked_head + chunk("echo: ") + chunk(body) + last_chunk);
  }
}

/// Tells a head and "one", then waits for the client to close.
std::function<void(peer&)> serve_half(std::promise<bool>& closed) {
  return [&closed](peer& client) {
    client.read_request();
    client.write(chunked_head + chunk("one"));
    closed.set_value(client.client_closes());
  };
}

} // namespace

TEST_CASE("a stream brings each piece when the server sends it") {
  stream_fixture http;
  stream_fixture::stream stream;
  watched<int> allowed;
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write(chunked_head);
    for (int n = 1; n <= 3; ++n) {
      allowed.becomes([&](int most) { return most >= n; });
      client.write(chunk("piece " + std::to_string(n)));
    }
    client.write(last_chunk);
    client.client_closes();
  });
  http.open_at(server.url());
  stream = http.start();
  REQUIRE(stream.log->becomes([](const auto& told) { return told.heads == 1; }));
  CHECK(stream.log->get().pieces.empty());
  // Each comes before the server goes on.
  for (int n = 1; n <= 3; ++n) {
    allowed.change([&](int& most) { most = n; });
    REQUIRE(stream.log->becomes(
        [&](const auto& told) { return told.pieces.size() == static_cast<std::size_t>(n); }));
    CHECK(stream.log->get().pieces.back() == "piece " + std::to_string(n));
  }
  auto told = stream.whole();
  CHECK(told.succeeded());
  CHECK(told.heads == 1);
  CHECK(told.status == 200);
  CHECK(told.headers[0] == std::pair<std::string, std::string>("Content-Type", "text/event-stream"));
  CHECK_FALSE(told.out_of_order);
}

TEST_CASE("whatever its framing, a complete body ends well") {
  const auto [bytes, status, body, close_after] = GENERATE(table<std::string, unsigned, std::string, bool>({
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", false},
      {"HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}", 429,
       "{\"error\":\"no\"}", false},
      {"HTTP/1.0 200 OK\r\n\r\nall of it", 200, "all of it", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", false},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
       "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-Late: 1\r\n\r\n",
       500, "ok", false},
  }));
  CAPTURE(bytes);
  auto told = outcome_of(bytes, close_after);
  CHECK(told.succeeded());
  CHECK(told.heads == 1);
  CHECK(told.status == status);
  CHECK(told.body == body);
  for (const auto& field : told.headers)
    CHECK((field.first != "Link" && field.first != "X-Late"));
}

TEST_CASE("a streamed answer to HEAD has no body") {
  auto told = outcome_of("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", false, {.method = "HEAD"});
  CHECK(told.succeeded());
  CHECK(told.body.empty());
}

TEST_CASE("a stream that is cut at any byte is a connection error, after what came before") {
  const auto [head, rest, body] = GENERATE(table<std::string, std::string, std::string>({
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "abcde", "abcde"},
  }));
  const auto bytes = head + rest;
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write(bytes.substr(0, static_cast<std::size_t>(client.number())));
  });
  stream_fixture http;
  http.open_at(server.url());
  std::size_t longest = 0;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    auto told = http.start().whole();
    CHECK(told.failure().reason.code == errc::io_failed);
    CHECK(told.failure().connection_error);
    CHECK(told.heads == (cut >= head.size() ? 1 : 0));
    CHECK(told.body == body.substr(0, told.body.size()));
    CHECK(told.body.size() >= longest);
    CHECK_FALSE(told.out_of_order);
    longest = told.body.size();
  }
  CHECK(longest >= body.size() - 1);
  CHECK(http.start().whole().succeeded());
}

TEST_CASE("a stream that breaks the protocol or its bound says so, after what came before") {
  const std::string over(1001, 'x');
  const auto [bytes, heads, body] = GENERATE_COPY(table<std::string, int, std::string>({
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, ""},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 0, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + over, 0, ""},
      {chunked_head + chunk("one") + "xyz\r\n", 1, "one"},
      {chunked_head + chunk(over.substr(1)) + chunk("y") + last_chunk, 1, over.substr(1)},
  }));
  auto told = outcome_of(bytes, false);
  CHECK(told.failure().reason.code == errc::protocol_violation);
  CHECK_FALSE(told.failure().connection_error);
  CHECK(told.heads == heads);
  CHECK(told.body == body);
  CHECK_FALSE(told.out_of_order);
}

TEST_CASE("a stream that cannot be sent, or finds nobody, ends without a head") {
  stream_fixture http;
  http.open_at("http://127.0.0.1:" + std::to_string(unused_port()));
  auto refused = http.start().whole();
  CHECK(refused.failure().reason.code == errc::io_failed);
  CHECK(refused.failure().connection_error);
  auto unsent = http.start({.target = "/a b"}).whole();
  CHECK(unsent.failure().reason.code == errc::invalid_argument);
  CHECK(refused.heads + unsent.heads == 0);
}

TEST_CASE("a connection is used again after a stream, by streams and others") {
  tcp_server server(serve_echo);
  stream_fixture http;
  http.open_at(server.url());
  CHECK(http.start({.body = "1"}).whole().body == "echo: 1");
  CHECK(http.ask("2").answer->body == "echo: 2");
  CHECK(http.start({.body = "3"}).whole().body == "echo: 3");
  CHECK(server.accepted() == 1);
}

TEST_CASE("a stream on a stale connection moves to a fresh one, unseen") {
  tcp_server server([](peer& client) {
    client.read_request();
    client.write(chunked_head + chunk(std::to_string(client.number())) + last_chunk);
    // The first closes without a word when it is used again.
    client.read_request();
  });
  stream_fixture http;
  http.open_at(server.url());
  REQUIRE(http.start().whole().body == "1");
  auto told = http.start().whole();
  CHECK(told.succeeded());
  CHECK(told.body == "2");
  CHECK(told.heads == 1);
}

TEST_CASE("cancelling a stream closes its connection") {
  std::promise<bool> closed;
  tcp_server server(serve_half(closed));
  stream_fixture http;
  http.open_at(server.url());
  auto stream = http.start();
  REQUIRE(stream.brings("one"));
  http.client->cancel(stream.id);
  auto told = stream.whole();
  CHECK(told.failure().reason.code == errc::cancelled);
  CHECK_FALSE(told.failure().connection_error);
  CHECK(await(closed));
  CHECK(http.client->open_connections() == 0);
  http.client->cancel(stream.id);
  http.client->consumed(stream.id, 3);
  http.client->consumed(12345, 3);
}

TEST_CASE("many streams run at once") {
  constexpr int count = 60;
  watched<int> asked;
  tcp_server server([&](peer& client) {
    auto request = client.read_request();
    if (!request)
      return;
    client.write(chunked_head + chunk("begin "));
    asked.change([](int& n) { ++n; });
    // None ends before all have begun.
    asked.becomes([](int n) { return n == count; });
    client.write(chunk(request->substr(request->find("\r\n\r\n") + 4)) + last_chunk);
    client.client_closes();
  });
  stream_fixture http;
  http.open_at(server.url());
  std::vector<stream_fixture::stream> streams;
  for (int i = 0; i < count; ++i)
    streams.push_back(http.start({.body = std::to_string(i)}));
  for (int i = 0; i < count; ++i) {
    auto told = streams[static_cast<std::size_t>(i)].whole();
    CHECK(told.succeeded());
    CHECK(told.body == "begin " + std::to_string(i));
  }
}

TEST_CASE("the end of a client ends its streams before its destructor returns") {
  std::promise<bool> closed;
  tcp_server server(serve_half(closed));
  stream_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1});
  auto flying = http.start();
  auto queued = http.start();
  REQUIRE(flying.brings("one"));
  http.client.reset();
  for (const auto& stream : {flying, queued}) {
    auto told = stream.log->get();
    REQUIRE(told.ends.size() == 1);
    CHECK(told.failure().reason.code == errc::cancelled);
  }
  CHECK(await(closed));
  CHECK(flying.log->get().ends.size() == 1);
}

TEST_CASE("a handler of a stream may destroy its client") {
  tcp_server server(serve_echo);
  stream_fixture http;
  http.open_at(server.url());
  auto log = std::make_shared<watched<stream_log>>();
  auto handlers = stream_fixture::handlers(log);
  handlers.on_data = [&](const std::string&) { http.client.reset(); };
  http.client->stream({}, {}, std::move(handlers));
  REQUIRE(log->becomes([](const auto& told) { return told.ended(); }));
  // What was due on the reactor when the client went has run before this.
  http.open_at(server.url());
  http.ask();
  CHECK(log->get().ends.size() == 1);
  CHECK(log->get().failure().reason.code == errc::cancelled);
}

TEST_CASE("a handler that throws ends its stream and no other") {
  tcp_server server(serve_echo);
  stream_fixture http;
  http.open_at(server.url());
  const bool in_head = GENERATE(false, true);
  auto log = std::make_shared<watched<stream_log>>();
  auto handlers = stream_fixture::handlers(log);
  if (in_head)
    handlers.on_head = [](auto, auto) { throw std::runtime_error("head"); };
  else
    handlers.on_data = [](auto) { throw std::runtime_error("data"); };
  http.client->stream({}, {}, std::move(handlers));
  REQUIRE(log->becomes([](const auto& told) { return told.ended(); }));
  CHECK(log->get().failure().reason.code == errc::internal);
  CHECK(http.start({.body = "x"}).whole().body == "echo: x");
  CHECK(log->get().ends.size() == 1);
}

TEST_CASE("a stream whose handlers are left out does no harm") {
  tcp_server server(serve_echo);
  stream_fixture http;
  http.open({.base_url = server.url(), .max_connections = 1});
  http.client->stream({}, {}, {});
  CHECK(http.start({.body = "x"}).whole().body == "echo: x");
}
