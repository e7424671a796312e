#include "tests/actors/io/http_fixture.hpp"
#include "tests/actors/io/tcp_server.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

/// What a client makes of these bytes, after which the connection closes or stays open.
http_outcome outcome_of(std::string_view bytes, bool close_after, io::http_request request = {}) {
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write(bytes);
    if (!close_after)
      client.client_closes();
  });
  http_fixture http;
  http.open({.base_url = server.url(), .max_response_bytes = 1000, .max_header_bytes = 2000});
  auto outcome = http.send(std::move(request)).second;
  return await(outcome);
}

} // namespace

TEST_CASE("a chunked answer is put together, its trailers left out") {
  auto got = outcome_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Late: 1\r\n\r\n",
                        false);
  REQUIRE(got.answer);
  CHECK(got.answer->body == "hello world");
  CHECK(got.answer->header("x-late").empty());
}

TEST_CASE("an answer that comes byte by byte is put together") {
  tcp_server server([&](peer& client) {
    while (client.read_request())
      for (char c : std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        client.write({&c, 1});
  });
  http_fixture http;
  http.open_at(server.url());
  CHECK(http.ask().answer->body == "abc");
  CHECK(http.ask().answer->body == "abc");
  CHECK(server.accepted() == 1);
}

TEST_CASE("an answer may end with its connection") {
  auto got = outcome_of("HTTP/1.1 200 OK\r\n\r\nall of it", true);
  REQUIRE(got.answer);
  CHECK(got.answer->body == "all of it");
}

TEST_CASE("interim answers are skipped") {
  auto got = outcome_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
                        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                        false);
  REQUIRE(got.answer);
  CHECK(got.answer->status == 200);
  CHECK(got.answer->body == "ok");
  CHECK(got.answer->header("link").empty());
}

TEST_CASE("answers without a body are done with their header") {
  CHECK(outcome_of("HTTP/1.1 204 No Content\r\n\r\n", false).answer->status == 204);
  auto head = outcome_of("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", false, {.method = "HEAD"});
  REQUIRE(head.answer);
  CHECK(head.answer->body.empty());
}

TEST_CASE("an answer that is cut off is a connection error") {
  const auto* bytes =
      GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP/1.1 200 OK\r\nConte",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  auto got = outcome_of(bytes, true);
  CHECK_FALSE(got.answer);
  CHECK(got.failure.reason.code == errc::io_failed);
  CHECK(got.failure.connection_error);
  CHECK_THAT(got.failure.reason.detail, Catch::EndsWith("closed the connection in the middle of its answer"));
}

TEST_CASE("an answer that is not HTTP breaks the protocol") {
  const auto* bytes = GENERATE("SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
  auto got = outcome_of(bytes, false);
  CHECK_FALSE(got.answer);
  CHECK(got.failure.reason.code == errc::protocol_violation);
  CHECK_FALSE(got.failure.connection_error);
}

TEST_CASE("answers have bounds") {
  const std::string over(1001, 'x');
  auto bytes = GENERATE_COPY(ok_answer(over), "HTTP/1.1 200 OK\r\n\r\n" + over,
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + over,
                             "HTTP/1.1 200 OK\r\nX: " + over + over + "\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + over + over);
  auto got = outcome_of(bytes, false);
  CHECK_FALSE(got.answer);
  CHECK(got.failure.reason.code == errc::protocol_violation);
  CHECK(outcome_of(ok_answer(over.substr(1)), false).answer->body.size() == 1000);
}

TEST_CASE("bytes that nobody asked for cost the connection, not the next request") {
  std::promise<bool> closed;
  tcp_server server([&](peer& client) {
    client.read_request();
    client.write(ok_answer("one") +
                 (client.number() == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : ""));
    if (client.number() == 1)
      closed.set_value(client.client_closes());
    else
      client.client_closes();
  });
  http_fixture http;
  http.open_at(server.url());
  CHECK(http.ask().answer->body == "one");
  CHECK(await(closed));
  CHECK(http.ask().answer->body == "one");
  CHECK(server.accepted() == 2);
}

TEST_CASE("a refusal that comes before the request is sent in full is the answer") {
  tcp_server server([&](peer& client) {
    client.read_head();
    client.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    client.client_closes();
  });
  http_fixture http;
  http.open_at(server.url());
  auto got = http.ask(std::string(64u << 20, 'x'));
  REQUIRE(got.answer);
  CHECK(got.answer->status == 413);
}
