#include "libagent/auth/rate_limits.hpp"
#include "libagent/auth/refetch.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::auth;
using namespace std::chrono_literals;

namespace {

config::api_key_options limited(const char* name, std::optional<unsigned> rate) {
  config::api_key_options key;
  key.name = name;
  key.requests_per_minute = rate;
  return key;
}

const rate_limits::clock::time_point start{1h};

} // namespace

TEST_CASE("a key may make its requests at once, and then one by one as they come free") {
  rate_limits rates({limited("slow", 3), limited("other", 1)});
  for (int i = 0; i < 3; ++i)
    CHECK(rates.take("slow", start) == 0s);
  CHECK(rates.take("slow", start) == 20s);
  CHECK(rates.take("slow", start + 15s) == 5s);
  CHECK(rates.take("slow", start + 20s) == 0s);
  CHECK(rates.take("slow", start + 20s) == 20s);
  CHECK(rates.take("other", start + 20s) == 0s);
  for (int i = 0; i < 3; ++i)
    CHECK(rates.take("slow", start + 10min) == 0s);
  CHECK(rates.take("slow", start + 10min) == 20s);
}

TEST_CASE("a key without a bound is never too fast") {
  rate_limits rates({limited("fast", std::nullopt)});
  for (int i = 0; i < 1000; ++i)
    CHECK(rates.take("fast", start) == 0s);
}

TEST_CASE("keys are fetched for strangers once a minute, and sooner while there are none") {
  refetch schedule;
  CHECK(schedule.is_due_for_stranger(start));
  schedule.begin(start);
  CHECK_FALSE(schedule.is_due_for_stranger(start + 10min));
  schedule.end(start + 1s, false);
  CHECK_FALSE(schedule.is_due_for_stranger(start + 4s));
  CHECK(schedule.is_due_for_stranger(start + 5s));
  schedule.begin(start + 5s);
  schedule.end(start + 6s, true);
  CHECK_FALSE(schedule.is_due_for_stranger(start + 64s));
  CHECK(schedule.is_due_for_stranger(start + 65s));
}

TEST_CASE("keys that have become old are fetched again, and a failure is no reason to hurry") {
  refetch schedule;
  CHECK_FALSE(schedule.is_due_for_age(start + 10h));
  schedule.begin(start);
  schedule.end(start, true);
  CHECK_FALSE(schedule.is_due_for_age(start + 59min));
  CHECK(schedule.is_due_for_age(start + 1h));
  schedule.begin(start + 1h);
  CHECK_FALSE(schedule.is_due_for_age(start + 1h));
  schedule.end(start + 1h, false);
  CHECK(schedule.has_keys());
  CHECK_FALSE(schedule.is_due_for_age(start + 1h + 59s));
  CHECK(schedule.is_due_for_age(start + 1h + 60s));
}
