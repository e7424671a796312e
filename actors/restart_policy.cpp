#include "actors/restart_policy.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {

using std::chrono::milliseconds;

void restart_policy::starting() noexcept {
  next_start_.reset();
  if (state_ == breaker_state::open)
    state_ = breaker_state::half_open;
}

void restart_policy::came_up(time_point now) {
  up_ = true;
  up_since_ = now;
}

double restart_policy::full_backoff() const noexcept {
  const auto doublings = static_cast<int>(failures_) - (first_at_once_ ? 2 : 1);
  return std::ldexp(static_cast<double>(options_.initial_backoff.count()), std::min(doublings, 62));
}

bool restart_policy::is_too_much() const noexcept {
  if (failures_ <= options_.max_restarts)
    return false;
  return lately_.size() > options_.max_restarts ||
         full_backoff() > static_cast<double>(options_.max_backoff.count());
}

bool restart_policy::is_quick() const noexcept {
  return was_up_ && failures_ <= options_.max_restarts;
}

restart_policy::decision restart_policy::open(time_point now) {
  if (state_ == breaker_state::closed)
    open_since_ = now;
  state_ = breaker_state::open;
  next_start_ = now + options_.cooldown;
  return {options_.cooldown, true};
}

restart_policy::decision restart_policy::went_down(time_point now, bool worth_a_retry, double jitter) {
  if (is_stable(now)) {
    failures_ = 0;
    lately_.clear();
    state_ = breaker_state::closed;
  }
  was_up_ = std::exchange(up_, false);
  ++failures_;
  lately_.push_back(now);
  while (lately_.size() > std::size_t{options_.max_restarts} + 1 || now - lately_.front() > options_.within)
    lately_.pop_front();
  if (options_.when == config::restart_options::policy::never) {
    open(now);
    next_start_.reset();
    return {std::nullopt, true};
  }
  if (!worth_a_retry || state_ != breaker_state::closed || is_too_much())
    return open(now);
  const auto full = std::min(full_backoff(), static_cast<double>(options_.max_backoff.count()));
  // Between half and all of it, so that what fell together does not rise together.
  auto wait = milliseconds(static_cast<std::int64_t>(full * (0.5 + jitter / 2)));
  if (first_at_once_ && failures_ == 1)
    wait = milliseconds(0);
  next_start_ = now + wait;
  return {wait, false};
}

breaker_status restart_policy::breaker(time_point now) const {
  if (state_ == breaker_state::closed || is_stable(now))
    return {breaker_state::closed, is_stable(now) ? 0 : failures_, {}, {}};
  return {state_, failures_, std::chrono::floor<milliseconds>(now - open_since_),
          state_ == breaker_state::half_open ? milliseconds(0) : retry_in(now)};
}

std::optional<milliseconds> restart_policy::retry_in(time_point now) const {
  if (!next_start_)
    return std::nullopt;
  return std::max(std::chrono::ceil<milliseconds>(*next_start_ - now), milliseconds(0));
}

} // namespace troupe
