#include "actors/restart_policy.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

const restart_policy::time_point start{};

config::restart_options small() {
  config::restart_options options;
  options.initial_backoff = 100ms;
  options.max_backoff = 400ms;
  options.max_restarts = 2;
  options.within = 5s;
  options.cooldown = 30s;
  options.stable_after = 60s;
  return options;
}

} // namespace

TEST_CASE("the wait doubles from failure to failure, with jitter between half and all of it") {
  auto options = small();
  options.max_restarts = 10;
  restart_policy policy(options);
  CHECK(*policy.went_down(start, true, 0.0).wait == 50ms);
  CHECK(*policy.went_down(start, true, 0.0).wait == 100ms);
  CHECK(*policy.went_down(start, true, 0.0).wait == 200ms);
  CHECK(*policy.went_down(start, true, 0.0).wait == 200ms);
  restart_policy other(options);
  CHECK(other.went_down(start, true, 0.999).wait > 99ms - 1ms);
}

TEST_CASE("what starts in no time is started again at once the first time") {
  restart_policy policy(small(), true);
  CHECK(*policy.went_down(start, true, 0.5).wait == 0ms);
  CHECK(*policy.went_down(start, true, 0.0).wait == 50ms);
}

TEST_CASE("the breaker opens past so many restarts within so much time, or at the bound of the backoff") {
  struct row {
    const char* what;
    std::vector<std::chrono::milliseconds> failures;
    bool opens;
  };
  const auto rows = std::vector<row>{
      {"as many as may be", {0ms, 100ms}, false},
      {"one more, close together", {0ms, 100ms, 200ms}, true},
      {"one more, just within the time", {0ms, 100ms, 5000ms}, true},
      {"one more, just too far apart", {0ms, 100ms, 5001ms}, false},
      {"slow ones, until the backoff is at its bound", {0s, 6s, 12s, 18s}, true},
      {"slow ones, a stable minute between", {0s, 6s, 12s, 90s}, false},
  };
  for (const auto& [what, failures, opens] : rows) {
    INFO(what);
    auto options = small();
    options.max_backoff = 400ms;
    restart_policy policy(options);
    bool failed = false;
    for (const auto& at : failures) {
      failed = policy.went_down(start + at, true, 0).failed;
      policy.starting();
      policy.came_up(start + at + 10ms);
    }
    CHECK(failed == opens);
  }
}

TEST_CASE("an open breaker tells since when and until when, and each cooldown lets one start through") {
  restart_policy policy(small());
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(policy.went_down(start, true, 0).failed);
    CHECK(policy.breaker(start).state == breaker_state::closed);
  }
  const auto third = policy.went_down(start, true, 0);
  CHECK(third.failed);
  CHECK(third.wait == 30s);
  const auto open = policy.breaker(start + 10s);
  CHECK(open.state == breaker_state::open);
  CHECK(open.failures == 3);
  CHECK(open.open_for == 10s);
  CHECK(open.retry_in == 20s);

  policy.starting();
  CHECK(policy.breaker(start + 30s).state == breaker_state::half_open);
  // The trial fails: no further try before the next cooldown is over.
  const auto trial = policy.went_down(start + 31s, true, 0);
  CHECK(trial.failed);
  CHECK(trial.wait == 30s);
  CHECK(policy.breaker(start + 31s).state == breaker_state::open);
  CHECK(policy.breaker(start + 31s).open_for == 31s);
}

TEST_CASE("a trial that comes up closes the breaker once it has been up for a stable minute") {
  restart_policy policy(small());
  for (int i = 0; i < 3; ++i)
    policy.went_down(start, true, 0);
  policy.starting();
  policy.came_up(start + 30s);
  CHECK(policy.breaker(start + 89s).state == breaker_state::half_open);
  CHECK(policy.breaker(start + 90s).state == breaker_state::closed);

  SECTION("before that, one failure opens it again") {
    CHECK(policy.went_down(start + 80s, true, 0).failed);
  }
  SECTION("after that it begins with a clean count") {
    const auto next = policy.went_down(start + 91s, true, 0);
    CHECK_FALSE(next.failed);
    CHECK(*next.wait == 50ms);
    CHECK(policy.failures() == 1);
  }
}

TEST_CASE("coming up alone does not prove what crashes again at once") {
  auto options = small();
  options.max_restarts = 1;
  restart_policy policy(options);
  policy.came_up(start);
  CHECK_FALSE(policy.went_down(start + 1s, true, 0).failed);
  policy.came_up(start + 2s);
  CHECK(policy.went_down(start + 3s, true, 0).failed);
}

TEST_CASE("what was up a moment ago is worth waiting for, what did not come up or failed often is not") {
  restart_policy policy(small());
  policy.went_down(start, true, 0);
  CHECK_FALSE(policy.is_quick());
  policy.came_up(start + 1s);
  policy.went_down(start + 2s, true, 0);
  CHECK(policy.is_quick());
  policy.came_up(start + 20s);
  policy.went_down(start + 21s, true, 0);
  CHECK_FALSE(policy.is_quick());
}

TEST_CASE("what would fail again opens the breaker at once") {
  restart_policy policy(small());
  CHECK(policy.went_down(start, false, 0).failed);
  CHECK(policy.breaker(start).state == breaker_state::open);
}

TEST_CASE("the policy never starts nothing again") {
  auto options = small();
  options.when = config::restart_options::policy::never;
  restart_policy policy(options);
  const auto end = policy.went_down(start, true, 0);
  CHECK(end.failed);
  CHECK_FALSE(end.wait);
  CHECK_FALSE(policy.retry_in(start));
}
