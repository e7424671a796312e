#include "libagent/mcp/heartbeat.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using troupe::mcp::heartbeat;
using need = heartbeat::need;

namespace {

const heartbeat::time_point start{};

/// Every ten seconds, with five for the answer.
heartbeat begun() {
  return {10s, 5s, start};
}

} // namespace

TEST_CASE("a server that says nothing is pinged, and given up if it does not answer in time") {
  auto pulse = begun();
  CHECK(pulse.next_look(start) == start + 10s);
  CHECK(pulse.look(start + 9999ms, false) == need::nothing);
  CHECK(pulse.look(start + 10s, false) == need::ping);
  CHECK(pulse.next_look(start + 10s) == start + 15s);
  CHECK(pulse.look(start + 14999ms, false) == need::nothing);
  CHECK(pulse.look(start + 15s, false) == need::give_up);
}

TEST_CASE("a server that answers is pinged again an interval after it was last heard") {
  auto pulse = begun();
  REQUIRE(pulse.look(start + 10s, false) == need::ping);
  pulse.heard(start + 11s);
  pulse.answered();
  CHECK(pulse.look(start + 20s, false) == need::nothing);
  CHECK(pulse.next_look(start + 20s) == start + 21s);
  CHECK(pulse.look(start + 21s, false) == need::ping);
}

TEST_CASE("what a server says otherwise puts the next ping off, but is no answer to one") {
  auto pulse = begun();
  pulse.heard(start + 8s);
  CHECK(pulse.look(start + 17s, false) == need::nothing);
  REQUIRE(pulse.look(start + 18s, false) == need::ping);
  pulse.heard(start + 19s);
  CHECK(pulse.look(start + 23s, false) == need::give_up);
}

TEST_CASE("a server that works on calls is not pinged, unless one of them ran into its timeout") {
  auto pulse = begun();
  CHECK(pulse.look(start + 10s, true) == need::nothing);
  CHECK(pulse.next_look(start + 10s) == start + 20s);
  CHECK(pulse.look(start + 20s, true) == need::nothing);
  pulse.doubt();
  CHECK(pulse.look(start + 21s, true) == need::ping);
  CHECK(pulse.look(start + 26s, true) == need::give_up);
}

TEST_CASE("a doubt is over with the ping that it led to") {
  auto pulse = begun();
  pulse.doubt();
  REQUIRE(pulse.look(start + 1s, false) == need::ping);
  pulse.answered();
  CHECK(pulse.look(start + 2s, false) == need::nothing);
}
