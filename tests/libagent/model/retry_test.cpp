#include "libagent/model/retry.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr auto now = std::chrono::sys_days{std::chrono::year{2025} / 6 / 15} + 12h;

std::optional<milliseconds> delay(const failed_try& last, unsigned tries_made = 1, double jitter = 0) {
  return next_delay({}, last, tries_made, jitter, now);
}

std::optional<milliseconds> after(std::string_view retry_after,
                                  std::chrono::system_clock::duration past_now = 0s) {
  return next_delay({}, {429, false, retry_after}, 1, 0, now + past_now);
}

} // namespace

TEST_CASE("408, 409, 429 and 5xx are worth another try, other statuses are not") {
  for (const auto status : {408u, 409u, 429u, 500u, 502u, 503u, 504u, 529u, 599u}) {
    CAPTURE(status);
    CHECK(is_retryable_status(status));
    CHECK(delay({status, false, {}}));
  }
  for (const auto status : {0u, 200u, 301u, 400u, 401u, 403u, 404u, 413u, 422u, 499u, 600u}) {
    CAPTURE(status);
    CHECK_FALSE(is_retryable_status(status));
    CHECK_FALSE(delay({status, false, {}}));
  }
}

TEST_CASE("a failed connection is worth another try, a cancelled or timed out call is not") {
  CHECK(delay({0, true, {}}) == 500ms);
  CHECK_FALSE(delay({0, false, {}}));
}

TEST_CASE("a status decides even where the connection failed afterwards") {
  CHECK_FALSE(delay({400, true, {}}));
}

TEST_CASE("tries end with the policy's number of retries") {
  const auto last = failed_try{500, false, {}};
  CHECK(delay(last, 1));
  CHECK(delay(last, 2));
  CHECK_FALSE(delay(last, 3));
  CHECK_FALSE(next_delay({.max_retries = 0}, last, 1, 0, now));
}

TEST_CASE("delays double up to the longest one") {
  const auto policy = retry_policy{.max_retries = 100};
  const auto expected = std::vector{500ms, 1000ms, 2000ms, 4000ms, 8000ms, 8000ms};
  for (auto i = 0u; i < expected.size(); ++i)
    CHECK(next_delay(policy, {500, false, {}}, i + 1, 0, now) == expected[i]);
  CHECK(next_delay(policy, {500, false, {}}, 90, 0, now) == 8000ms);
}

TEST_CASE("jitter takes off up to a quarter") {
  CHECK(delay({500, false, {}}, 1, 0.5) == 438ms);
  CHECK(delay({500, false, {}}, 1, 0.999999) == 375ms);
  CHECK(delay({500, false, {}}, 2, 0.5) == 875ms);
}

TEST_CASE("jitter outside of its range counts as the nearest in it") {
  CHECK(delay({500, false, {}}, 1, -3) == 500ms);
  CHECK(delay({500, false, {}}, 1, 7) == 375ms);
}

TEST_CASE("Retry-After in seconds is the wait") {
  CHECK(after("3") == 3s);
  CHECK(after(" 3\t") == 3s);
  CHECK(after("0") == 0s);
  CHECK(after("60") == 60s);
}

TEST_CASE("Retry-After counts for every status that is worth a try") {
  CHECK(delay({503, false, "7"}) == 7s);
  CHECK_FALSE(delay({400, false, "7"}));
}

TEST_CASE("a Retry-After beyond the policy's bound ends the call") {
  CHECK_FALSE(after("61"));
  CHECK_FALSE(after("99999999999999999999999999"));
  CHECK_FALSE(after("Sun, 15 Jun 2025 12:01:01 GMT"));
  CHECK_FALSE(after("Fri, 31 Dec 9999 23:59:59 GMT"));
}

TEST_CASE("Retry-After as an HTTP date is the wait until then") {
  CHECK(after("Sun, 15 Jun 2025 12:00:30 GMT") == 30s);
  CHECK(after("Sun, 15 Jun 2025 12:01:00 GMT") == 60s);
}

TEST_CASE("the wait until a date is rounded up to whole milliseconds") {
  CHECK(after("Sun, 15 Jun 2025 12:00:30 GMT", 250ms) == 29750ms);
  CHECK(after("Sun, 15 Jun 2025 12:00:30 GMT", 250ms + 1ns) == 29750ms);
  CHECK(after("Sun, 15 Jun 2025 12:00:30 GMT", 249999us + 999ns) == 29751ms);
}

TEST_CASE("a date that is past asks for no wait") {
  CHECK(after("Sun, 15 Jun 2025 11:59:59 GMT") == 0s);
  CHECK(after("Sun, 06 Nov 1994 08:49:37 GMT") == 0s);
  CHECK(after("Sat, 01 Jan 0000 00:00:00 GMT") == 0s);
}

TEST_CASE("a Retry-After that cannot be read is as none") {
  const auto text =
      GENERATE(as<std::string>{}, "", " ", "-5", "+5", "1.5", "5s", "soon", "0x10", "5, 6",
               "Sun, 15 Jun 2025 12:00:30", "Sun, 15 Jun 2025 12:00:30 PST", "Sun, 31 Feb 2025 12:00:30 GMT",
               "Sun, 15 Jux 2025 12:00:30 GMT", "Sun, 15 Jun 2025 24:00:30 GMT",
               "Sun, 15 Jun 2025 12:60:30 GMT", "Sun, -5 Jun 2025 12:00:30 GMT", "2025-06-15T12:00:30Z");
  CAPTURE(text);
  CHECK(after(text) == 500ms);
}
