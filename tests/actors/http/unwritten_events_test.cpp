#include "actors/http/unwritten_events.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using troupe::http::unwritten_events;

namespace {

run_events_ptr three_events() {
  auto events = std::make_shared<run_events>();
  events->events = {{1, "a"}, {2, "b"}, {4, "c"}};
  return events;
}

} // namespace

TEST_CASE("however much was read, no more of it is handed out than its client has room for") {
  unwritten_events unwritten(100);
  CHECK(unwritten.is_empty());
  CHECK(unwritten.next() == nullptr);
  unwritten.came(three_events());
  REQUIRE(unwritten.next()->number == 1);
  // One may go beyond.
  unwritten.wrote(60);
  REQUIRE(unwritten.next()->number == 2);
  unwritten.wrote(60);
  CHECK_FALSE(unwritten.has_room());
  CHECK(unwritten.next() == nullptr);
  CHECK_FALSE(unwritten.is_empty());
  unwritten.taken(19);
  CHECK(unwritten.next() == nullptr);
  unwritten.taken(1);
  REQUIRE(unwritten.next()->number == 4);
  CHECK(unwritten.is_empty());
  CHECK(unwritten.next() == nullptr);
}

TEST_CASE("what is taken beyond what was written makes no more room") {
  unwritten_events unwritten(0);
  unwritten.taken(1000);
  unwritten.came(three_events());
  REQUIRE(unwritten.next() != nullptr);
  unwritten.wrote(1);
  CHECK(unwritten.next() == nullptr);
}
