#include "actors/event_flow.hpp"

#include <catch2/catch.hpp>

#include <map>

namespace {

using acknowledged = std::map<char, std::uint64_t>;

/// A flow whose sources are letters, and that collects what it acknowledges.
class letters {
public:
  explicit letters(std::size_t bound) : flow(bound) {}

  acknowledged came(char from, std::size_t bytes) {
    acknowledged now;
    is_new = flow.came(from, bytes, [&](char source, std::uint64_t events) { now[source] += events; });
    return now;
  }
  acknowledged taken(std::size_t bytes) {
    acknowledged now;
    flow.taken(bytes, [&](char source, std::uint64_t events) { now[source] += events; });
    return now;
  }

  troupe::event_flow<char> flow;
  bool is_new = false;
};

const acknowledged nothing;

} // namespace

TEST_CASE("events are acknowledged as they come while little waits for the client") {
  letters flow(100);
  CHECK(flow.came('a', 60) == acknowledged{{'a', 1}});
  CHECK(flow.came('a', 40) == acknowledged{{'a', 1}});
  CHECK(flow.came('a', 0) == acknowledged{{'a', 1}});
}

TEST_CASE("past the bound events are held, and acknowledged together once enough was taken") {
  letters flow(100);
  CHECK(flow.came('a', 101) == nothing);
  CHECK(flow.came('a', 50) == nothing);
  CHECK(flow.came('a', 0) == nothing);
  CHECK(flow.taken(50) == nothing);
  CHECK(flow.taken(1) == acknowledged{{'a', 3}});
  CHECK(flow.taken(100) == nothing);
}

TEST_CASE("one event beyond the bound does not stop a run for good") {
  letters flow(10);
  CHECK(flow.came('a', 1'000'000) == nothing);
  CHECK(flow.taken(1'000'000) == acknowledged{{'a', 1}});
  CHECK(flow.came('a', 5) == acknowledged{{'a', 1}});
}

TEST_CASE("more taken than came does no harm") {
  letters flow(10);
  CHECK(flow.came('a', 11) == nothing);
  CHECK(flow.taken(20) == acknowledged{{'a', 1}});
  CHECK(flow.came('a', 11) == nothing);
}

TEST_CASE("sources that take turns are all held, and each is acknowledged its own") {
  letters flow(10);
  CHECK(flow.came('a', 20) == nothing);
  CHECK(flow.came('b', 20) == nothing);
  CHECK(flow.came('a', 20) == nothing);
  CHECK(flow.taken(49) == nothing);
  CHECK(flow.taken(1) == acknowledged{{'a', 2}, {'b', 1}});
  CHECK(flow.came('b', 0) == acknowledged{{'b', 1}});
}

TEST_CASE("a source that has ended is forgotten, with what was held of it") {
  letters flow(10);
  CHECK(flow.came('a', 20) == nothing);
  CHECK(flow.is_new);
  CHECK(flow.came('a', 20) == nothing);
  CHECK_FALSE(flow.is_new);
  CHECK(flow.came('b', 20) == nothing);
  flow.flow.ended('a');
  CHECK(flow.flow.sources() == 1);
  CHECK(flow.taken(60) == acknowledged{{'b', 1}});
  flow.flow.ended('b');
  CHECK(flow.flow.sources() == 0);
}
