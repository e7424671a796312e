#include "actors/http/event_flow.hpp"

#include <catch2/catch.hpp>

using troupe::http::event_flow;

TEST_CASE("events are acknowledged as they come while little waits for the client") {
  event_flow flow(100);
  CHECK(flow.came(60) == 1);
  CHECK(flow.came(40) == 1);
  CHECK(flow.came(0) == 1);
}

TEST_CASE("past the bound events are held, and acknowledged together once enough was taken") {
  event_flow flow(100);
  CHECK(flow.came(101) == 0);
  CHECK(flow.came(50) == 0);
  CHECK(flow.came(0) == 0);
  CHECK(flow.taken(50) == 0);
  CHECK(flow.taken(1) == 3);
  CHECK(flow.taken(100) == 0);
}

TEST_CASE("one event beyond the bound does not stop a run for good") {
  event_flow flow(10);
  CHECK(flow.came(1'000'000) == 0);
  CHECK(flow.taken(1'000'000) == 1);
  CHECK(flow.came(5) == 1);
}

TEST_CASE("more taken than came does no harm") {
  event_flow flow(10);
  CHECK(flow.came(11) == 0);
  CHECK(flow.taken(20) == 1);
  CHECK(flow.came(11) == 0);
}

TEST_CASE("what is held of one source is acknowledged before another's events come") {
  event_flow flow(10);
  CHECK(flow.came(20) == 0);
  CHECK(flow.came(20) == 0);
  CHECK(flow.change_source() == 2);
  CHECK(flow.change_source() == 0);
  CHECK(flow.came(1) == 0);
  CHECK(flow.taken(41) == 1);
}
