#include "tests/actors/http/front_fixture.hpp"

#include "actors/metrics/process_usage.hpp"
#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

using namespace std::string_literals;

// A sanitizer does, to notice that it is used.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool keeps_what_is_freed = true;
#else
constexpr bool keeps_what_is_freed = false;
#endif

std::string code_of(const raw_answer& answer) {
  return json::parse(answer.body).at("detail").at("code").get<std::string>();
}

/// A POST with these headers, each ended by CR LF, and what follows them.
std::string post_with(const std::string& headers, const std::string& rest, const char* version = "1.1") {
  return "POST /api/v1/chat HTTP/"s + version + "\r\nHost: localhost\r\n" + headers + "\r\n" + rest;
}

std::string chunked(const std::string& chunks) {
  return post_with("Transfer-Encoding: chunked\r\n", chunks);
}

struct big_bodies : front_fixture {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.max_body_bytes = 4u << 20;
    return bounds;
  }
  big_bodies() : front_fixture(options()) {}
};

struct little_time : front_fixture {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.header_timeout = 200ms;
    bounds.body_timeout = 200ms;
    return bounds;
  }
  little_time() : front_fixture(options()) {}

  /// Whether the connection is closed although these bytes come again and again, long before they are too
  /// many.
  bool ends_while_sending(const std::string& first, const std::string& again) {
    raw_client slow(port());
    slow.send(first);
    for (int i = 0; i < 1000; ++i) {
      if (slow.hears_within(10ms))
        return slow.closed_by_peer();
      slow.try_send(again);
    }
    return false;
  }
};

} // namespace

TEST_CASE_METHOD(little_time, "who sends a request byte by byte is dropped at its time") {
  CHECK(ends_while_sending("GET /health HTTP/1.1\r\nX: ", "x"));
  CHECK(ends_while_sending("", "\r\n"));
  CHECK(ends_while_sending(post_with("Content-Length: 4000\r\n", "{"), " "));
  CHECK(ends_while_sending(chunked(""), "1\r\n \r\n"));
  CHECK(ends_while_sending(chunked("1;"), "x"));
}

TEST_CASE_METHOD(front_fixture, "another protocol than HTTP/1 is a bad request") {
  for (const std::string& bytes :
       {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s, "GET /health\r\n\r\n"s,
        "GET /health HTTP/0.9\r\nHost: localhost\r\n\r\n"s,
        "GET /health HTTP/2.0\r\nHost: localhost\r\n\r\n"s, "GET /health HTTP/3\r\n\r\n"s,
        "GET /health HTTP/1.1.1\r\n\r\n"s, "GET /health HTTP/11\r\n\r\n"s, "GET /health ICY/1.1\r\n\r\n"s,
        "get /health HTTP/1.1\r\n\r\n"s}) {
    CAPTURE(bytes);
    raw_client client(port());
    const auto answer = client.ask(bytes);
    CHECK(answer.status == 400);
    CHECK(answer.headers.at("connection") == "close");
  }
}

TEST_CASE_METHOD(front_fixture, "a body whose length two servers could read in two ways is refused") {
  const std::string body = R"({"prompt":"x"})";
  const auto length = "Content-Length: 14\r\n"s;
  const auto one_chunk = "e\r\n" + body + "\r\n0\r\n\r\n";
  for (const std::string& bytes :
       {post_with(length + length, body),
        post_with("Content-Length: 14, 14\r\n", body),
        post_with("Content-Length: +14\r\n", body),
        post_with("Content-Length: -14\r\n", body),
        post_with("Content-Length: 0xe\r\n", body),
        post_with("Content-Length: 1 4\r\n", body),
        post_with("Content-Length: 14\v\r\n", body),
        post_with("Content-Length:\r\n", body),
        post_with("Content-Length: 18446744073709551630\r\n", body),
        post_with("Content-Length : 14\r\n", body),
        post_with(length + "Transfer-Encoding: chunked\r\n", one_chunk),
        post_with("Transfer-Encoding: chunked\r\n" + length, one_chunk),
        post_with("Transfer-Encoding: xchunked\r\n", one_chunk),
        post_with("Transfer-Encoding: chunked, identity\r\n", one_chunk),
        post_with("Transfer-Encoding: identity\r\n", one_chunk),
        post_with("Transfer-Encoding: gzip\r\n", one_chunk),
        post_with("Transfer-Encoding: gzip, chunked\r\n", one_chunk),
        post_with("Transfer-Encoding: gzip,\r\n chunked\r\n", one_chunk),
        post_with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", one_chunk),
        post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", one_chunk),
        post_with("Transfer-Encoding: chunked, chunked\r\n", one_chunk),
        post_with("Transfer-Encoding : chunked\r\n", one_chunk),
        post_with("Transfer-Encoding: \vchunked\r\n", one_chunk),
        post_with("Transfer-Encoding: chunked\r\n", one_chunk, "1.0")}) {
    CAPTURE(bytes);
    raw_client client(port());
    const auto answer = client.ask(bytes);
    CHECK(answer.status == 400);
    CHECK(answer.headers.at("connection") == "close");
    client.close_sending_side();
    CHECK(client.closed_by_peer());
  }
}

TEST_CASE_METHOD(front_fixture, "chunked is chunked in capitals too") {
  const auto request = post_with("Transfer-Encoding: CHUNKED \r\n", "e\r\n{\"prompt\":\"x\"}\r\n0\r\n\r\n");
  CHECK(raw_client(port()).ask(request).status == 200);
}

TEST_CASE_METHOD(front_fixture, "chunks that are broken are a bad request") {
  for (const std::string& chunks :
       {"ffffffffffffffffff\r\n"s, "10000000000000000\r\n"s, "-1\r\n"s, "0x5\r\nhello\r\n"s, "g\r\n"s,
        "\r\n"s, "5\r\nhelloX\r\n"s, "5\r\nhello0\r\n\r\n"s, " 5\r\nhello\r\n"s, "\0"s}) {
    CAPTURE(chunks);
    raw_client client(port());
    const auto answer = client.ask(chunked(chunks));
    CHECK(answer.status == 400);
    CHECK(answer.headers.at("connection") == "close");
  }
}

TEST_CASE_METHOD(front_fixture, "a chunk is as long as it likes, and cut off where a body is too large") {
  raw_client client(port());
  client.send(chunked("7fffffffffffffff\r\n"));
  client.try_send(std::string(64'000, 'x'));
  CHECK(client.receive().status == 413);
}

TEST_CASE_METHOD(big_bodies, "a body in many small chunks takes no more memory than its bytes") {
  const auto body = R"({"prompt":"hold"})" + std::string(2'000'000, ' ');
  std::string chunks;
  for (const char each : body)
    chunks += "1\r\n"s + each + "\r\n";
  const auto request = chunked(chunks + "0\r\n\r\n");
  raw_client client(port());
  const auto before = read_resident_bytes();
  client.send(request);
  wait_for_held(1);
  if (!keeps_what_is_freed)
    CHECK(read_resident_bytes() < before + 8 * body.size());
  release();
  CHECK(client.receive().status == 200);
}

TEST_CASE_METHOD(front_fixture, "what comes beside chunks is bounded as headers are") {
  raw_client extended(port());
  extended.try_send(chunked("1;x=" + std::string(200'000, 'y')));
  CHECK(extended.receive().status == 431);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 200; ++i)
    trailers += "X: y\r\n";
  raw_client trailed(port());
  CHECK(trailed.ask(chunked(trailers + "\r\n")).status == 431);
}

TEST_CASE_METHOD(front_fixture, "headers of many kilobytes together are too large, each on its own or not") {
  std::string bomb = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 90; ++i)
    bomb += "X-" + std::to_string(i) + ": " + std::string(16'000, 'x') + "\r\n";
  raw_client client(port());
  client.try_send(bomb);
  CHECK(client.receive().status == 431);
  raw_client named(port());
  named.try_send("GET /health HTTP/1.1\r\n" + std::string(100'000, 'x'));
  CHECK(named.receive().status == 431);
}

TEST_CASE_METHOD(front_fixture, "bytes that no header has are a bad request") {
  for (const std::string& bytes :
       {"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"s,
        "GET /health HTTP/1.1\r\nX\0: a\r\n\r\n"s, "GET /hea\0lth HTTP/1.1\r\nHost: localhost\r\n\r\n"s,
        "GET /health HTTP/1.1\r\n: a\r\n\r\n"s, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n"s,
        "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\x01\r\n\r\n"s,
        "GET /health HTTP/1.1\r\nX\xff: a\r\n\r\n"s, "\0\0\0\0"s}) {
    CAPTURE(bytes);
    CHECK(raw_client(port()).ask(bytes).status == 400);
  }
}

TEST_CASE_METHOD(front_fixture, "headers that may be given once are not given twice") {
  for (const std::string name : {"Content-Type", "Idempotency-Key", "Last-Event-ID"}) {
    const auto more =
        name == "Content-Type" ? name + ": text/plain\r\n" : name + ": 1\r\n" + name + ": 2\r\n";
    const auto twice = raw_client(port()).ask(
        "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more +
        "Content-Length: 15\r\n\r\n{\"prompt\":\"hi\"}");
    CHECK(twice.status == 400);
    CHECK_THAT(twice.body, Catch::Contains("more than one header " + name));
  }
}

TEST_CASE_METHOD(front_fixture, "a request names its host, once, and one that is here") {
  const auto status = [this](const std::string& headers) {
    return raw_client(port()).ask("GET /health HTTP/1.1\r\n" + headers + "\r\n").status;
  };
  CHECK(status("Host: localhost\r\n") == 200);
  CHECK(status("") == 400);
  CHECK(status("Host: localhost\r\nHost: localhost\r\n") == 400);
  CHECK(status("Host: evil.example\r\n") == 421);
  CHECK(status("Host: local\xffhost\r\n") == 400);
  CHECK(raw_client(port()).ask("GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n").status ==
        421);
  CHECK(raw_client(port()).ask("GET /health HTTP/1.0\r\n\r\n").status == 200);
}

TEST_CASE_METHOD(big_bodies,
                 "JSON that would cost much, or that is none, is refused and the next request answered") {
  const std::vector<std::string> bodies{
      std::string(3'000'000, '['),
      R"({"prompt":)" + std::string(1'000'000, '{'),
      R"({"prompt":"x","context":{"n":1e999}})",
      R"({"prompt":"x","context":{"n":-1e999}})",
      R"({"prompt":"x","context":{"n":)" + std::string(1'000'000, '9') + "}}",
      R"({"prompt":"x","budget":{"turns":)" + std::string(1'000'000, '9') + "}}",
      R"({"prompt":"x","budget":{"turns":1e400}})",
      "{\"prompt\":\"\xff\xfe\"}",
      "{\"prompt\":\"\xc0\xaf\"}",
      "{\"prompt\":\"\xed\xa0\x80\"}",
      "{\"prompt\":\"a\0b\"}"s,
      R"({"prompt":"\ud800"})",
      "{\"prompt\":\"x\"}\0"s,
      std::string(1000, '\0'),
      R"({"prompt":"x"}{"prompt":"y"})",
      R"({"prompt":"x)",
      "\xef\xbb\xbf",
  };
  raw_client client(port());
  for (const auto& body : bodies) {
    CAPTURE(body.substr(0, 60));
    const auto answer = client.ask(post_chat(body));
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == "malformed");
    CHECK(answer.body.size() < 2000);
  }
  CHECK(client.ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(big_bodies, "numbers that fit nowhere are refused by name") {
  for (const char* turns : {"-1", "1.5", "18446744073709551616", "1e30"}) {
    const auto answer =
        raw_client(port()).ask(post_chat(R"({"prompt":"x","budget":{"turns":)" + std::string(turns) + "}}"));
    CAPTURE(turns);
    CHECK(answer.status == 422);
    CHECK(answer.body.find("turns") != std::string::npos);
  }
}
