#include "libagent/model/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

using std::chrono::milliseconds;

constexpr double minute_ms = 60'000;

} // namespace

token_bucket::token_bucket(std::optional<std::uint64_t> a_minute) noexcept
    : a_minute_(static_cast<double>(a_minute.value_or(0))), level_(a_minute_) {}

void token_bucket::fill(time_point now) noexcept {
  if (filled_at_ && now > *filled_at_) {
    const std::chrono::duration<double, std::milli> passed = now - *filled_at_;
    level_ = std::min(a_minute_, level_ + passed.count() * a_minute_ / minute_ms);
  }
  // A clock that goes back must not fill it twice.
  filled_at_ = filled_at_ ? std::max(*filled_at_, now) : now;
}

milliseconds token_bucket::wait_for(double amount, time_point now) noexcept {
  if (!is_bounded())
    return milliseconds{0};
  fill(now);
  const auto missing = std::min(amount, a_minute_) - level_;
  // Less than a millionth of one is rounding.
  if (missing <= 1e-6)
    return milliseconds{0};
  return milliseconds{static_cast<std::int64_t>(std::ceil(missing * minute_ms / a_minute_))};
}

void token_bucket::take(double amount, time_point now) noexcept {
  if (!is_bounded())
    return;
  fill(now);
  level_ -= amount;
}

void token_bucket::give_back(double amount, time_point now) noexcept {
  if (!is_bounded())
    return;
  fill(now);
  level_ = std::min(a_minute_, level_ + amount);
}

milliseconds rate_limit::take(std::uint64_t estimated, time_point now) noexcept {
  const auto wait =
      std::max(requests_.wait_for(1, now), tokens_.wait_for(static_cast<double>(estimated), now));
  if (wait.count() == 0)
    force(estimated, now);
  return wait;
}

void rate_limit::force(std::uint64_t estimated, time_point now) noexcept {
  requests_.take(1, now);
  tokens_.take(static_cast<double>(estimated), now);
}

void rate_limit::correct(std::uint64_t estimated, std::uint64_t cost, time_point now) noexcept {
  if (cost > estimated)
    tokens_.take(static_cast<double>(cost - estimated), now);
  else
    tokens_.give_back(static_cast<double>(estimated - cost), now);
}

} // namespace troupe
