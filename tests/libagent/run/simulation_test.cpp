#include "tests/faults/scale.hpp"
#include "tests/libagent/run/simulation.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace troupe::run::testing;

namespace {

/// Plays one seed; what goes wrong names it. TROUPE_SEED=N plays that one alone.
void play(simulation& one, std::uint64_t seed) {
  INFO("seed " << seed << ": TROUPE_SEED=" << seed << " plays it alone");
  try {
    one.play();
  } catch (...) {
    UNSCOPED_INFO(one.log);
    throw;
  }
}

} // namespace

TEST_CASE("a session on virtual time keeps its promises whatever comes late, twice, never, or down") {
  if (const auto* alone = std::getenv("TROUPE_SEED")) {
    simulation one(std::strtoull(alone, nullptr, 10));
    INFO("seed " << alone);
    one.play();
    return;
  }
  unsigned crashes = 0;
  unsigned pauses = 0;
  unsigned doubts = 0;
  unsigned late = 0;
  unsigned refusals = 0;
  std::map<std::string, unsigned> endings;
  const auto seeds = troupe::testing::scaled(500, 10'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    simulation one(seed);
    play(one, seed);
    crashes += one.crashes;
    pauses += one.pauses;
    doubts += one.doubts;
    late += one.late_answers;
    refusals += one.refusals;
    for (const auto& [code, count] : one.endings)
      endings[code] += count;
  }
  // The dice are not loaded.
  CHECK(crashes > seeds / 3);
  CHECK(pauses > seeds / 10);
  CHECK(doubts > seeds / 100);
  CHECK(late > seeds / 6);
  CHECK(refusals > seeds / 10);
  for (const auto* code : {"ok", "cancelled", "deadline_exceeded", "budget_exceeded", "max_turns_exceeded",
                           "guardrail_tripped", "model_failed"})
    CHECK(endings[code] > seeds / 100);
}
