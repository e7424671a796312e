#include "actors/restart_policy.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {
const restart_policy::time_point start{};
} // namespace

TEST_CASE(
    "the wait doubles from failure to failure, with jitter between half and all of it, up to its bound") {
  config::restart_options options;
  options.initial_backoff = 100ms;
  options.max_backoff = 300ms;
  restart_policy policy(options);
  CHECK(*policy.went_down(start, true, 0.0).wait == 50ms);
  CHECK(*policy.went_down(start, true, 0.0).wait == 100ms);
  CHECK(*policy.went_down(start, true, 0.0).wait == 150ms);
  restart_policy other(options);
  CHECK(other.went_down(start, true, 0.999).wait > 99ms - 1ms);
}

TEST_CASE("after too many failures in a row it counts as failed and is tried at the pace of the cooldown") {
  config::restart_options options;
  options.max_restarts = 2;
  options.cooldown = 60s;
  restart_policy policy(options);
  CHECK_FALSE(policy.went_down(start, true, 0).failed);
  CHECK_FALSE(policy.went_down(start, true, 0).failed);
  const auto third = policy.went_down(start, true, 0);
  CHECK(third.failed);
  CHECK(third.wait == 60s);
}

TEST_CASE("what would fail again counts as failed at once") {
  restart_policy policy(config::restart_options{});
  CHECK(policy.went_down(start, false, 0).failed);
}

TEST_CASE("the policy never starts nothing again") {
  config::restart_options options;
  options.when = config::restart_options::policy::never;
  restart_policy policy(options);
  CHECK_FALSE(policy.went_down(start, true, 0).wait);
}

TEST_CASE("a server that worked begins with a clean count") {
  config::restart_options options;
  options.max_restarts = 1;
  restart_policy policy(options);
  policy.came_up(start);
  CHECK_FALSE(policy.went_down(start + 1s, true, 0).failed);
  policy.came_up(start + 2s);
  policy.proved_itself();
  CHECK_FALSE(policy.went_down(start + 3s, true, 0).failed);
}

TEST_CASE("coming up alone does not prove a server that crashes again at once") {
  config::restart_options options;
  options.max_restarts = 1;
  restart_policy policy(options);
  policy.came_up(start);
  CHECK_FALSE(policy.went_down(start + 1s, true, 0).failed);
  policy.came_up(start + 2s);
  CHECK(policy.went_down(start + 3s, true, 0).failed);
}

TEST_CASE("a server that stood for a while begins with a clean count") {
  config::restart_options options;
  options.max_restarts = 1;
  restart_policy policy(options);
  policy.came_up(start);
  CHECK_FALSE(policy.went_down(start + 1s, true, 0).failed);
  policy.came_up(start + 2s);
  CHECK_FALSE(policy.went_down(start + 60s, true, 0).failed);
}
