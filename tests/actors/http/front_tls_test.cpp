#include "actors/http/server_tls.hpp"
#include "tests/actors/http/front_fixture.hpp"
#include "tests/actors/http/tls_client.hpp"
#include "tests/actors/io/certificates.hpp"

#include <catch2/catch.hpp>

#include <openssl/ssl.h>

#include <fstream>
#include <memory>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// Made once: the files are gone when the program ends.
const test::certificates& house() {
  static const test::certificates made("IP:127.0.0.1");
  return made;
}

config::server_options with_tls(config::server_options options = front_fixture::quick_options()) {
  options.tls = config::tls_options{house().host_file(), house().key_file()};
  return options;
}

struct tls_front : front_fixture {
  tls_front() : front_fixture(with_tls()) {}
  explicit tls_front(const config::server_options& options) : front_fixture(with_tls(options)) {}
};

struct short_handshake : tls_front {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.header_timeout = 100ms;
    return bounds;
  }
  short_handshake() : tls_front(options()) {}
};

struct one_connection : tls_front {
  static config::server_options options() {
    auto bounds = quick_options();
    bounds.max_connections = 1;
    return bounds;
  }
  one_connection() : tls_front(options()) {}
};

std::string trouble(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  const auto made = http::make_server_tls({certificate, key});
  return made ? "" : made.error().detail;
}

} // namespace

TEST_CASE_METHOD(tls_front, "requests are answered over TLS, one after the other and pipelined") {
  tls_client client(port(), house().ca_file());
  CHECK(client.version() == "TLSv1.3");
  CHECK(client.ask(get("/health")).status == 200);
  CHECK(client.ask(post_chat(R"({"prompt":"Hi"})")).status == 200);
  client.send(get("/health") + post_chat(R"({"prompt":"Hi"})") + get("/nothing"));
  CHECK(client.receive().status == 200);
  CHECK(client.receive().status == 200);
  CHECK(client.receive().status == 404);
}

TEST_CASE_METHOD(tls_front, "TLS 1.2 is spoken, older versions are not") {
  CHECK(tls_client(port(), house().ca_file(), TLS1_2_VERSION).version() == "TLSv1.2");
  CHECK_THROWS(tls_client(port(), house().ca_file(), TLS1_1_VERSION));
}

TEST_CASE_METHOD(tls_front, "bodies of many records go both ways") {
  tls_client client(port(), house().ca_file());
  const auto answer = client.ask(post_chat(R"({"prompt":")" + std::string(4000, 'x') + R"("})"));
  CHECK(answer.status == 200);
  CHECK(answer.body.find(std::string(4000, 'x')) != std::string::npos);
}

TEST_CASE_METHOD(tls_front, "runs are streamed over TLS") {
  tls_client client(port(), house().ca_file());
  client.send(post_chat(R"({"prompt":"told x","stream":true})"));
  CHECK(client.receive_head().headers.at("content-type") == "text/event-stream");
  std::string last;
  while (const auto event = client.receive_event())
    last = event->name;
  CHECK(last == "run_completed");
}

TEST_CASE_METHOD(tls_front, "a client that goes away cancels its streamed run, over TLS too") {
  tls_client client(port(), house().ca_file());
  client.send(post_chat(R"({"prompt":"told hold","stream":true})"));
  client.receive_head();
  client.reset();
  CHECK(wait_for_cancelled().starts_with("run_"));
}

TEST_CASE_METHOD(tls_front, "a client that wants to be invited sends its body then, over TLS too") {
  tls_client client(port(), house().ca_file());
  client.send(
      "POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n");
  CHECK(client.receive_head().status == 100);
  CHECK(client.ask(R"({"prompt":"x"})").status == 200);
}

TEST_CASE_METHOD(tls_front, "the end of a connection is announced, so that nobody can feign it") {
  tls_client client(port(), house().ca_file());
  CHECK(client.ask("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status == 200);
  CHECK(client.was_told_goodbye());
}

TEST_CASE_METHOD(tls_front, "a refusal reaches a client that sends on, over TLS too") {
  tls_client client(port(), house().ca_file());
  client.send("POST /api/v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n");
  client.try_send(std::string(1'000'000, 'x'));
  CHECK(client.receive().status == 413);
}

TEST_CASE_METHOD(tls_front, "a client that says it has sent all still gets its answer") {
  tls_client client(port(), house().ca_file());
  client.send(post_chat(R"({"prompt":"hold"})"));
  wait_for_held(1);
  client.say_goodbye();
  release();
  CHECK(client.receive().status == 200);
}

TEST_CASE_METHOD(tls_front, "what is not TLS is dropped, and the next client served") {
  raw_client plain(port());
  plain.send(get("/health"));
  const auto dropped = [&] {
    try {
      return plain.receive().status == 0;
    } catch (const std::exception&) {
      return true;
    }
  }();
  CHECK(dropped);
  CHECK(tls_client(port(), house().ca_file()).ask(get("/health")).status == 200);
}

TEST_CASE_METHOD(short_handshake, "a handshake that does not come in time ends the connection") {
  raw_client silent(port());
  raw_client slow(port());
  slow.send("\x16\x03\x01\x02");
  CHECK(silent.closed_by_peer());
  CHECK(slow.closed_by_peer());
}

TEST_CASE_METHOD(short_handshake, "who shakes hands and then says nothing is dropped too") {
  tls_client silent(port(), house().ca_file());
  CHECK(silent.closed_by_peer());
}

TEST_CASE_METHOD(one_connection, "a handshake counts as a connection") {
  auto first = std::make_unique<raw_client>(port());
  first->send("\x16\x03\x01\x02");
  auto second = std::async(std::launch::async, [this] {
    tls_client client(port(), house().ca_file());
    return client.ask(get("/health")).status;
  });
  CHECK(second.wait_for(50ms) == std::future_status::timeout);
  first.reset();
  CHECK(second.get() == 200);
}

TEST_CASE_METHOD(tls_front, "stopping ends connections over TLS") {
  tls_client idle(port(), house().ca_file());
  CHECK(idle.ask(get("/health")).status == 200);
  raw_client half(port());
  half.send("\x16\x03\x01\x02");
  stop(10s);
  CHECK(idle.closed_by_peer());
  CHECK(half.closed_by_peer());
}

TEST_CASE_METHOD(tls_front, "the reactor may go down with handshakes and streams under way") {
  tls_client streaming(port(), house().ca_file());
  streaming.send(post_chat(R"({"prompt":"told hold","stream":true})"));
  streaming.receive_head();
  raw_client half(port());
  half.send("\x16\x03\x01\x02");
  reactor.reset();
  CHECK(half.closed_by_peer());
}

TEST_CASE("files that TLS cannot use are told with their path and why") {
  const auto& folder = house().folder();
  std::ofstream(folder / "nonsense.pem") << "nonsense";
  const test::certificates other("IP:127.0.0.1");
  CHECK(trouble(house().host_file(), house().key_file()).empty());
  CHECK(trouble(folder / "none.pem", house().key_file()) ==
        "cannot use the certificate " + (folder / "none.pem").string() + ": No such file or directory");
  CHECK(trouble(house().host_file(), folder) == "cannot use the key " + folder.string() + ": it is a folder");
  CHECK(trouble(folder / "nonsense.pem", house().key_file())
            .starts_with("cannot use the certificate " + (folder / "nonsense.pem").string() +
                         ": no certificate in PEM form can be read from it (no start line)"));
  CHECK(trouble(house().host_file(), house().host_file())
            .starts_with("cannot use the key " + house().host_file() +
                         ": no private key in PEM form, without a password, can be read from it ("));
  CHECK(trouble(house().host_file(), other.key_file())
            .starts_with("cannot use the key " + other.key_file() + ": "));
}

TEST_CASE_METHOD(front_fixture, "a server whose certificate cannot be used does not start") {
  auto options = quick_options();
  options.tls = config::tls_options{"/nowhere/c.pem", "/nowhere/k.pem"};
  const auto outcome = port_of(spawn(options));
  REQUIRE(outcome.has_error());
  CHECK(outcome.error().detail == "cannot use the certificate /nowhere/c.pem: No such file or directory");
}
