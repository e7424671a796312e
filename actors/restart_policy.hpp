#pragma once

#include "actors/supervision.hpp"
#include "libagent/config/config.hpp"

#include <chrono>
#include <deque>
#include <optional>

namespace troupe {

/// When something that went down is started again: exponential backoff with jitter while failures follow each
/// other closely; past so many restarts within so much time, or once the backoff is at its bound, a breaker
/// opens, and it is tried once each cooldown. Pure: time and chance come in as arguments.
class restart_policy {
public:
  using time_point = std::chrono::steady_clock::time_point;

  restart_policy() = default;
  /// `first_at_once`: the first failure in a row is not waited for, which suits what starts in no time.
  explicit restart_policy(config::restart_options options, bool first_at_once = false)
      : options_(options), first_at_once_(first_at_once) {}

  /// It is being started; after this an open breaker is half-open.
  void starting() noexcept;
  void came_up(time_point now);

  struct decision {
    /// Nothing: it stays down.
    std::optional<std::chrono::milliseconds> wait;
    /// The breaker is open, or nothing would help: it counts as failed until it comes up.
    bool failed = false;
  };
  /// It went down, or did not come up. `worth_a_retry` is false where the same would happen again (no such
  /// command); `jitter` is in [0, 1).
  decision went_down(time_point now, bool worth_a_retry, double jitter);

  /// Failures in a row; one that has been up for `stable_after` begins anew.
  unsigned failures() const noexcept { return failures_; }
  /// Whether what went down was up before, and failed too seldom for its next start to be far: it is worth
  /// waiting for.
  bool is_quick() const noexcept;
  /// Half-open until what was tried again has been up for `stable_after`.
  breaker_status breaker(time_point now) const;
  /// Until the next start; nothing if none is planned.
  std::optional<std::chrono::milliseconds> retry_in(time_point now) const;

private:
  bool is_stable(time_point now) const noexcept { return up_ && now - up_since_ >= options_.stable_after; }
  double full_backoff() const noexcept;
  /// Whether so many failures, this one included, are too many.
  bool is_too_much() const noexcept;
  decision open(time_point now);

  config::restart_options options_;
  bool first_at_once_ = false;
  unsigned failures_ = 0;
  /// The last of them within `within`, the oldest first.
  std::deque<time_point> lately_;
  breaker_state state_ = breaker_state::closed;
  bool up_ = false;
  bool was_up_ = false;
  time_point up_since_;
  time_point open_since_;
  std::optional<time_point> next_start_;
};

} // namespace troupe
