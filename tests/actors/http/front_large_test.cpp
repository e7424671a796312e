#include "tests/actors/http/front_fixture.hpp"
#include "tests/actors/http/tls_client.hpp"
#include "tests/actors/io/certificates.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Far more than goes out at once.
const std::string large(600'000, 'x');

std::string asking_for_it(std::string_view headers, std::string_view more = {}) {
  return post("/api/v1/chat", R"({"prompt":"told )" + large + R"(")" + std::string(more) + "}", headers);
}

config::server_options roomy() {
  auto options = front_fixture::quick_options();
  options.max_body_bytes = 1u << 20;
  return options;
}

struct large_front : front_fixture {
  large_front() : front_fixture(roomy()) {}
};

const test::certificates& house() {
  static const test::certificates made("IP:127.0.0.1");
  return made;
}

struct large_tls_front : front_fixture {
  static config::server_options options() {
    auto made = roomy();
    made.tls = config::tls_options{house().host_file(), house().key_file()};
    return made;
  }
  large_tls_front() : front_fixture(options()) {}
};

void check_all_arrives(raw_client& client) {
  client.send(asking_for_it("Connection: close\r\n"));
  CHECK(client.receive().body.find(large) != std::string::npos);
  CHECK(client.closed_by_peer());
}

void check_stream_arrives(raw_client& client) {
  client.send(asking_for_it("Connection: close\r\n", R"(,"stream":true)"));
  CHECK(client.receive_head().status == 200);
  std::string last;
  while (const auto event = client.receive_event())
    last = event->name;
  CHECK(last == "run_completed");
  CHECK(client.closed_by_peer());
}

} // namespace

TEST_CASE_METHOD(large_front, "a large answer arrives whole before its connection is closed") {
  raw_client client(port());
  check_all_arrives(client);
}

TEST_CASE_METHOD(large_front, "the large end of a stream arrives whole before its connection is closed") {
  raw_client client(port());
  check_stream_arrives(client);
}

TEST_CASE_METHOD(large_tls_front, "a large answer over TLS arrives whole before its connection is closed") {
  tls_client client(port(), house().ca_file());
  check_all_arrives(client);
}

TEST_CASE_METHOD(large_tls_front,
                 "the large end of a stream over TLS arrives whole before its connection is closed") {
  tls_client client(port(), house().ca_file());
  check_stream_arrives(client);
}
