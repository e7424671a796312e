#include "libagent/model/rate_limit.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {
const rate_limit::time_point start{};
} // namespace

TEST_CASE("a minute's worth of requests goes at once, further ones at an even pace") {
  rate_limit limit({60, {}});
  for (int i = 0; i < 60; ++i)
    REQUIRE(limit.take(0, start) == 0ms);
  CHECK(limit.take(0, start) == 1s);
  CHECK(limit.take(0, start + 400ms) == 600ms);
  CHECK(limit.take(0, start + 1s) == 0ms);
  CHECK(limit.take(0, start + 1s) == 1s);
}

TEST_CASE("tokens are taken by estimate and corrected by what the call cost") {
  rate_limit limit({{}, 6000});
  REQUIRE(limit.take(4000, start) == 0ms);
  CHECK(limit.take(3000, start) == 10s);
  SECTION("what cost less gives the rest back") {
    limit.correct(4000, 1000, start);
    CHECK(limit.take(5000, start) == 0ms);
  }
  SECTION("what cost more has to be paid off first") {
    limit.correct(4000, 8000, start);
    CHECK(limit.take(1000, start) == 30s);
    CHECK(limit.take(1000, start + 30s) == 0ms);
  }
}

TEST_CASE("what is more than a minute's worth waits for a full bucket, and is paid off afterwards") {
  rate_limit limit({{}, 600});
  REQUIRE(limit.take(100, start) == 0ms);
  CHECK(limit.take(1200, start) == 10s);
  REQUIRE(limit.take(1200, start + 10s) == 0ms);
  CHECK(limit.take(1, start + 10s) == 60'100ms);
}

TEST_CASE("what has to wait takes nothing") {
  rate_limit limit({1, 600});
  REQUIRE(limit.take(600, start) == 0ms);
  for (int i = 0; i < 10; ++i)
    CHECK(limit.take(600, start) == 60s);
  CHECK(limit.take(600, start + 60s) == 0ms);
}

TEST_CASE("a bucket is never more than full, and a clock that goes back does not fill it") {
  rate_limit limit({2, {}});
  REQUIRE(limit.take(0, start + 1h) == 0ms);
  REQUIRE(limit.take(0, start + 1h) == 0ms);
  CHECK(limit.take(0, start) == 30s);
  CHECK(limit.take(0, start + 1h) == 30s);
  CHECK(limit.take(0, start + 2h) == 0ms);
  CHECK(limit.take(0, start + 2h) == 0ms);
  CHECK(limit.take(0, start + 2h) == 30s);
}

TEST_CASE("without bounds nothing waits") {
  rate_limit limit;
  CHECK_FALSE(limit.is_bounded());
  for (int i = 0; i < 1000; ++i)
    REQUIRE(limit.take(1'000'000, start) == 0ms);
}
