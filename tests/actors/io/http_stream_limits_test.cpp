#include "actors/io/answer_parser.hpp"
#include "tests/actors/io/certificates.hpp"
#include "tests/actors/io/stream_fixture.hpp"
#include "tests/actors/io/tcp_server.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// Most that one read brings beyond a window.
constexpr std::size_t one_read = 16u << 10;

/// Answers "/x" with nothing, and any other target with a head and then this many bytes.
std::function<void(peer&)> serve_flood(std::size_t bytes, std::promise<bool>& written) {
  return [bytes, &written](peer& client) {
    while (auto request = client.read_request()) {
      if (request->starts_with("POST /x ")) {
        client.write(ok_answer(""));
      } else {
        client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
        written.set_value(client.write(std::string(bytes, 'x')));
      }
    }
  };
}

/// Lets the reactor do all that is ready to be done.
void settle(stream_fixture& http) {
  for (int i = 0; i < 3; ++i)
    REQUIRE(http.ask().answer);
}

std::size_t bytes_of(const stream_fixture::stream& stream) {
  std::size_t size = 0;
  stream.log->change([&](const stream_log& told) { size = told.body.size(); });
  return size;
}

bool brings_bytes(const stream_fixture::stream& stream, std::size_t at_least) {
  return stream.log->becomes([&](const stream_log& told) { return told.body.size() >= at_least; });
}

} // namespace

TEST_CASE("a reader that does not consume holds the server back") {
  // More than the sockets of both ends hold.
  constexpr std::size_t flood = 64u << 20;
  constexpr std::size_t window = 100'000;
  std::promise<bool> written;
  auto done = written.get_future();
  tcp_server server(serve_flood(flood, written));
  stream_fixture http;
  http.open({.base_url = server.url(), .max_response_bytes = flood});
  auto stream = http.start({.target = "/flood"}, {.window = window});
  std::size_t consumed = 0;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(brings_bytes(stream, consumed + window));
    settle(http);
    const auto told = bytes_of(stream);
    CHECK(told < consumed + window + one_read);
    CHECK(done.wait_for(0s) == std::future_status::timeout);
    // Room for one byte is room for one read.
    const auto bytes = round == 1 ? told - consumed - window + 1 : told - consumed;
    http.client->consumed(stream.id, bytes);
    consumed += bytes;
  }
  // More than is outstanding is all of it, and no credit for what comes.
  REQUIRE(brings_bytes(stream, consumed + window));
  settle(http);
  const auto told = bytes_of(stream);
  http.client->consumed(stream.id, flood);
  REQUIRE(brings_bytes(stream, told + window));
  settle(http);
  CHECK(bytes_of(stream) < told + window + one_read);
  for (std::size_t seen = told; seen < flood;) {
    const auto now = bytes_of(stream);
    http.client->consumed(stream.id, now - seen);
    seen = now;
    if (seen < flood)
      REQUIRE(brings_bytes(stream, seen + 1));
  }
  CHECK(stream.whole().succeeded());
  CHECK(await(done));
}

TEST_CASE("a reader that consumes in its handler gets all, whatever the window") {
  const std::size_t window = GENERATE(0u, 1u, 5000u, 1u << 20);
  constexpr std::size_t size = 1u << 20;
  std::promise<bool> written;
  tcp_server server(serve_flood(size, written));
  stream_fixture http;
  http.open_at(server.url());
  auto log = std::make_shared<watched<stream_log>>();
  auto handlers = stream_fixture::handlers(log);
  std::promise<io::http_request_id> known;
  auto id = known.get_future().share();
  handlers.on_data = [&, id, log_data = handlers.on_data](std::string bytes) {
    http.client->consumed(id.get(), bytes.size());
    log_data(std::move(bytes));
  };
  known.set_value(http.client->stream({.target = "/flood"}, {.window = window}, std::move(handlers)));
  REQUIRE(log->becomes([](const auto& told) { return told.ended(); }));
  CHECK(log->get().succeeded());
  CHECK(log->get().body == std::string(size, 'x'));
}

TEST_CASE("a stream that is held back can be cancelled") {
  std::promise<bool> written;
  tcp_server server(serve_flood(64u << 20, written));
  stream_fixture http;
  http.open({.base_url = server.url(), .max_response_bytes = 64u << 20});
  auto stream = http.start({.target = "/flood"}, {.window = 1});
  REQUIRE(brings_bytes(stream, 1));
  http.client->cancel(stream.id);
  CHECK(stream.whole().failure().reason.code == errc::cancelled);
  // The server's write fails.
  CHECK_FALSE(await(written));
}

TEST_CASE("a head that does not come in time is told from a body that does not") {
  std::promise<void> go;
  tcp_server server([&, gone = go.get_future().share()](peer& client) {
    auto request = client.read_request();
    if (request->starts_with("POST /body "))
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none");
    if (request->starts_with("POST /late ")) {
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none");
      gone.wait();
      client.write("two");
    }
    client.client_closes();
  });
  stream_fixture http;
  http.open_at(server.url());
  const auto peer_name = "127.0.0.1:" + std::to_string(server.port());
  auto headless = http.start({.target = "/none", .timeout = 40ms}).whole();
  CHECK(headless.heads == 0);
  CHECK(headless.failure().reason ==
        error{errc::deadline_exceeded, "no answer from " + peer_name + " within 0.04 s"});
  CHECK_FALSE(headless.failure().connection_error);

  auto silent = http.start({.target = "/body"}, {.idle_timeout = 40ms}).whole();
  CHECK(silent.body == "one");
  CHECK(silent.failure().reason ==
        error{errc::deadline_exceeded, peer_name + " fell silent for 0.04 s in the middle of its answer"});
  CHECK_FALSE(silent.failure().connection_error);

  // The request's own timeout ends with the head.
  auto late = http.start({.target = "/late", .timeout = 500ms});
  REQUIRE(late.brings("one"));
  CHECK(http.ask("", 600ms).failure.reason.code == errc::deadline_exceeded);
  go.set_value();
  CHECK(late.whole().succeeded());
  CHECK(http.client->open_connections() == 1);
}

TEST_CASE("the idle timeout stands still while the reader holds the stream back") {
  std::promise<bool> written;
  constexpr std::size_t size = 200'000;
  tcp_server server([&, flood = serve_flood(size, written)](peer& client) {
    if (client.number() == 1)
      return flood(client);
    client.client_closes();
  });
  stream_fixture http;
  http.open_at(server.url());
  auto stream = http.start({.target = "/flood"}, {.window = 1, .idle_timeout = 100ms});
  REQUIRE(brings_bytes(stream, 1));
  // Several idle timeouts go by, on the same clock.
  CHECK(http.ask("", 350ms).failure.reason.code == errc::deadline_exceeded);
  CHECK_FALSE(stream.log->get().ended());
  for (std::size_t seen = 0; seen < size;) {
    const auto now = bytes_of(stream);
    http.client->consumed(stream.id, now - seen);
    seen = now;
    if (seen < size)
      REQUIRE(brings_bytes(stream, seen + 1));
  }
  CHECK(stream.whole().succeeded());
}

TEST_CASE("the idle timeout runs again once a stream is no longer held back") {
  tcp_server server([](peer& client) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none");
    client.client_closes();
  });
  stream_fixture http;
  http.open_at(server.url());
  auto stream = http.start({}, {.window = 3, .idle_timeout = 60ms});
  REQUIRE(stream.brings("one"));
  CHECK(http.ask("", 150ms).failure.reason.code == errc::deadline_exceeded);
  CHECK_FALSE(stream.log->get().ended());
  const auto resumed = std::chrono::steady_clock::now();
  http.client->consumed(stream.id, 3);
  CHECK(stream.whole().failure().reason.code == errc::deadline_exceeded);
  // And from the beginning.
  CHECK(std::chrono::steady_clock::now() - resumed >= 60ms);
}

TEST_CASE("a stream has a total timeout, held back or not") {
  const std::size_t window = GENERATE(1u, 1u << 20);
  tcp_server server([](peer& client) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\n\r\none");
    client.client_closes();
  });
  stream_fixture http;
  http.open_at(server.url());
  auto told = http.start({}, {.window = window, .total_timeout = 400ms}).whole();
  CHECK(told.body == "one");
  CHECK(told.failure().reason ==
        error{errc::deadline_exceeded,
              "the answer of 127.0.0.1:" + std::to_string(server.port()) + " was not complete within 0.4 s"});
}

TEST_CASE("a stream over TLS ends well only if the peer says so") {
  const bool complete = GENERATE(true, false);
  certificates certificate("DNS:localhost");
  tcp_server server([&](peer& client) {
    auto context = certificate.server_context();
    client.start_tls(context);
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" + std::string(0x8000, 'x') +
                 "\r\n" + (complete ? "0\r\n\r\n" : ""));
    if (complete)
      client.client_closes();
  });
  stream_fixture http;
  http.open({.base_url = server.url("https", "localhost"), .ca_file = certificate.ca_file()});
  auto told = http.start().whole();
  CHECK(told.body == std::string(0x8000, 'x'));
  CHECK(told.succeeded() == complete);
  CHECK(told.failure().connection_error == !complete);
}

TEST_CASE("an answer taken in pieces is the same wherever its bytes are cut") {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Late: 1\r\n\r\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    io::answer_parser parser(1000, 11);
    parser.start(false, true);
    io::header_list headers;
    std::string body;
    auto take = [&] {
      if (!parser.head_done())
        return;
      auto part = parser.take();
      CHECK(part.status == 200);
      headers.insert(headers.end(), part.headers.begin(), part.headers.end());
      body += part.body;
    };
    auto used = parser.feed(std::string_view(bytes).substr(0, cut));
    REQUIRE(used.has_value());
    take();
    CHECK(parser.done() == (cut == bytes.size()));
    REQUIRE(parser.feed(std::string_view(bytes).substr(*used)).has_value());
    take();
    CHECK(parser.done());
    CHECK(headers == io::header_list{{"X", "y"}, {"Transfer-Encoding", "chunked"}});
    CHECK(body == "hello world");
  }
}
