#include "actors/stderr_ring.hpp"

#include <catch2/catch.hpp>

using namespace troupe;

TEST_CASE("bytes come out as they went in, and the taker is told once") {
  stderr_ring ring(100);
  CHECK(ring.add("one\n"));
  CHECK_FALSE(ring.add("two"));
  const auto first = ring.take();
  CHECK(first.text == "one\ntwo");
  CHECK(first.dropped == 0);
  CHECK(ring.add("x"));
}

TEST_CASE("a flood keeps its newest whole lines within the bound, and what is lost is counted") {
  stderr_ring ring(10);
  for (int i = 0; i < 1000; ++i)
    ring.add("secret-" + std::to_string(i % 10) + "\nab\n");
  const auto taken = ring.take();
  CHECK(taken.text == "\nab\n");
  CHECK(taken.dropped + taken.text.size() == 12'000);
}

TEST_CASE("a line longer than the bound leaves nothing of itself") {
  stderr_ring ring(4);
  ring.add("password");
  const auto taken = ring.take();
  CHECK(taken.text.empty());
  CHECK(taken.dropped == 8);
}
