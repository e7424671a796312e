#include "libagent/model/circuit_breaker.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;
using admission = circuit_breaker::admission;

namespace {

const circuit_breaker::time_point start{};

circuit_breaker opened(breaker_options options = {2, 10s, 30s}) {
  circuit_breaker breaker(options);
  for (unsigned i = 0; i < options.failures; ++i)
    breaker.failed(false, start, 0);
  return breaker;
}

} // namespace

TEST_CASE("a breaker opens after so many failures in a row, which an answer between them begins anew") {
  circuit_breaker breaker;
  for (int i = 0; i < 4; ++i)
    breaker.failed(false, start, 0);
  CHECK(breaker.state(start) == breaker_state::closed);
  breaker.succeeded(false);
  for (int i = 0; i < 4; ++i)
    breaker.failed(false, start, 0);
  CHECK(breaker.admit(start) == admission::pass);
  breaker.failed(false, start, 0);
  CHECK(breaker.state(start) == breaker_state::open);
  CHECK(breaker.admit(start) == admission::refused);
  CHECK(breaker.retry_in(start) == 5s);
}

TEST_CASE("a breaker that is half-open lets one call through, which decides") {
  auto breaker = opened();
  CHECK(breaker.admit(start + 9999ms) == admission::refused);
  CHECK(breaker.state(start + 10s) == breaker_state::half_open);
  CHECK(breaker.admit(start + 10s) == admission::probe);
  CHECK(breaker.admit(start + 11s) == admission::refused);

  SECTION("it closes when that succeeds") {
    breaker.succeeded(true);
    CHECK(breaker.state(start + 12s) == breaker_state::closed);
    CHECK(breaker.failures() == 0);
    CHECK_FALSE(breaker.retry_in(start + 12s));
    CHECK(breaker.admit(start + 12s) == admission::pass);
  }
  SECTION("it opens for twice as long when that fails, and so on up to the maximum") {
    breaker.failed(true, start + 20s, 0);
    CHECK(breaker.retry_in(start + 20s) == 20s);
    CHECK(breaker.admit(start + 40s) == admission::probe);
    breaker.failed(true, start + 40s, 0);
    CHECK(breaker.retry_in(start + 40s) == 30s);
    CHECK(breaker.open_for(start + 40s) == 40s);
  }
  SECTION("another one may go when that tells nothing") {
    breaker.abandoned(true);
    CHECK(breaker.admit(start + 12s) == admission::probe);
  }
  SECTION("what was on its way before changes nothing") {
    breaker.succeeded(false);
    breaker.failed(false, start + 12s, 0);
    CHECK(breaker.state(start + 12s) == breaker_state::half_open);
    CHECK(breaker.admit(start + 12s) == admission::refused);
  }
}

TEST_CASE("jitter takes up to a quarter off a cooldown") {
  circuit_breaker breaker(breaker_options{1, 10s, 30s});
  breaker.failed(false, start, 1.0);
  CHECK(breaker.retry_in(start) == 7500ms);
}

TEST_CASE("a breaker of no failures never opens") {
  circuit_breaker breaker(breaker_options{0, 10s, 30s});
  for (int i = 0; i < 100; ++i)
    breaker.failed(false, start, 0);
  CHECK(breaker.admit(start) == admission::pass);
}

TEST_CASE("an endpoint is blamed for what it did, and not for what it was asked") {
  struct row {
    const char* what;
    unsigned status;
    errc code;
    bool connection_error;
    bool is_fault;
  };
  const row rows[] = {
      {"an answer", 200, errc::internal, false, false},
      {"a bad request", 400, errc::internal, false, false},
      {"a wrong key", 401, errc::internal, false, false},
      {"too many requests", 429, errc::internal, false, false},
      {"a failure inside", 500, errc::internal, false, true},
      {"no gateway", 503, errc::internal, false, true},
      {"no such status", 600, errc::internal, false, false},
      {"no connection", 0, errc::io_failed, true, true},
      {"too slow", 0, errc::deadline_exceeded, false, true},
      {"a stream that fell silent", 0, errc::model_timeout, false, true},
      {"a stream that was cut", 0, errc::model_stream_cut, false, true},
      {"a call that was cancelled", 0, errc::cancelled, false, false},
      {"our own queue is full", 0, errc::overloaded, false, false},
      {"an answer that is too large", 0, errc::io_failed, false, false},
  };
  for (const auto& [what, status, code, connection_error, is_fault] : rows) {
    INFO(what);
    CHECK(is_endpoint_fault(status, code, connection_error) == is_fault);
  }
}
