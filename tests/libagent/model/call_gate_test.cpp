#include "libagent/model/call_gate.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
using verdict = call_gate::verdict;

namespace {

const call_gate::time_point start{};

/// Calls that may go now.
std::vector<call_gate::call_id> going(call_gate& gate, call_gate::time_point now) {
  std::vector<call_gate::call_id> ids;
  while (const auto next = gate.next(now))
    if (next->decided.what == verdict::go)
      ids.push_back(next->id);
  return ids;
}

gate_options breaking(unsigned failures) {
  gate_options options;
  options.breaker = {failures, 10s, 60s};
  return options;
}

} // namespace

TEST_CASE("calls beyond the bound wait in order, and past the queue's bound they are refused") {
  gate_options options;
  options.max_concurrency = 1;
  options.max_queue = 2;
  call_gate gate(options);
  const auto first = gate.ask(1, 0, start);
  REQUIRE(first.what == verdict::go);
  CHECK(gate.ask(2, 0, start).what == verdict::waits);
  CHECK(gate.ask(3, 0, start).what == verdict::waits);
  CHECK(gate.ask(4, 0, start).what == verdict::full);
  CHECK_FALSE(gate.next(start));
  // No timer would help.
  CHECK_FALSE(gate.look_in(start));
  gate.end(first.pass, {}, start);
  CHECK(going(gate, start) == std::vector<call_gate::call_id>{2});
  CHECK(gate.in_flight() == 1);
  CHECK(gate.waiting() == 1);
}

TEST_CASE("a call that comes while others wait does not overtake them") {
  gate_options options;
  options.rate.requests_per_minute = 1;
  call_gate gate(options);
  REQUIRE(gate.ask(1, 0, start).what == verdict::go);
  CHECK(gate.ask(2, 0, start).what == verdict::waits);
  CHECK(gate.ask(3, 0, start + 60s).what == verdict::waits);
  CHECK(going(gate, start + 60s) == std::vector<call_gate::call_id>{2});
  CHECK(gate.look_in(start + 60s) == 60s);
}

TEST_CASE("what the rate holds back is looked for when it may go") {
  gate_options options;
  options.rate.tokens_per_minute = 600;
  call_gate gate(options);
  REQUIRE(gate.counts_tokens());
  const auto first = gate.ask(1, 500, start);
  REQUIRE(first.what == verdict::go);
  REQUIRE(gate.ask(2, 200, start).what == verdict::waits);
  CHECK(gate.look_in(start) == 10s);
  SECTION("what the first one did not use helps the second") {
    gate.end(first.pass, 100, start);
    CHECK(going(gate, start) == std::vector<call_gate::call_id>{2});
  }
  SECTION("time does") {
    CHECK(going(gate, start + 9s).empty());
    CHECK(going(gate, start + 10s) == std::vector<call_gate::call_id>{2});
  }
  SECTION("one that is given up leaves the queue") {
    CHECK(gate.withdraw(2));
    CHECK_FALSE(gate.withdraw(2));
    CHECK_FALSE(gate.look_in(start));
  }
}

TEST_CASE("an open breaker refuses who comes and who waits; half-open it lets one through") {
  auto options = breaking(1);
  options.max_concurrency = 1;
  call_gate gate(options);
  auto first = gate.ask(1, 0, start);
  REQUIRE(gate.ask(2, 0, start).what == verdict::waits);
  gate.failed(first.pass, start, 0);
  gate.end(first.pass, {}, start);
  const auto refused = gate.next(start);
  REQUIRE(refused);
  CHECK(refused->decided.what == verdict::refused);
  CHECK(gate.ask(3, 0, start + 9s).what == verdict::refused);

  auto probe = gate.ask(4, 0, start + 10s);
  REQUIRE(probe.what == verdict::go);
  CHECK(probe.pass.is_probe);
  CHECK(gate.ask(5, 0, start + 10s).what == verdict::refused);
  SECTION("it closes when that is answered") {
    gate.answered(probe.pass);
    CHECK(gate.breaker().state(start + 11s) == breaker_state::closed);
    CHECK(gate.ask(6, 0, start + 11s).what == verdict::waits);
  }
  SECTION("the next call is the one when that is given up") {
    gate.end(probe.pass, {}, start + 11s);
    const auto other = gate.ask(6, 0, start + 11s);
    CHECK(other.what == verdict::go);
    CHECK(other.pass.is_probe);
  }
  SECTION("it opens again when that fails, and that call does not try again") {
    gate.failed(probe.pass, start + 11s, 0);
    CHECK_FALSE(gate.may_retry(probe.pass, start + 11s));
    CHECK(gate.ask(6, 0, start + 12s).what == verdict::refused);
  }
}

TEST_CASE("only so many calls try again at the same time") {
  auto options = breaking(100);
  options.max_retries_in_flight = 2;
  call_gate gate(options);
  std::vector<call_gate::ticket> calls;
  for (call_gate::call_id id = 1; id <= 3; ++id)
    calls.push_back(gate.ask(id, 0, start).pass);
  CHECK(gate.may_retry(calls[0], start));
  CHECK(gate.may_retry(calls[1], start));
  CHECK_FALSE(gate.may_retry(calls[2], start));
  // A call that tries again does so until it is over.
  CHECK(gate.may_retry(calls[0], start));
  CHECK(gate.retries() == 2);
  gate.end(calls[0], {}, start);
  CHECK(gate.retries() == 1);
  CHECK(gate.may_retry(calls[2], start));
}

TEST_CASE("a wait for another try is in vain once the breaker has opened") {
  call_gate gate(breaking(2));
  auto one = gate.ask(1, 0, start).pass;
  auto other = gate.ask(2, 0, start).pass;
  gate.failed(one, start, 0);
  REQUIRE(gate.may_retry(one, start));
  CHECK(gate.retry(one, start));
  gate.failed(other, start, 0);
  CHECK_FALSE(gate.may_retry(other, start));
  CHECK_FALSE(gate.retry(one, start));
}
