#pragma once

#include "libagent/config/config.hpp"

#include <chrono>
#include <optional>

namespace troupe {

/// When a server that went down is started again: exponential backoff with jitter while failures follow each
/// other closely, slow probes after too many. Pure: time and chance come in as arguments.
class restart_policy {
public:
  using time_point = std::chrono::steady_clock::time_point;

  restart_policy() = default;
  explicit restart_policy(config::restart_options options) : options_(options) {}

  void came_up(time_point now);
  /// A call was answered: the server works.
  void proved_itself() { failures_ = 0; }

  struct decision {
    /// Nothing: it stays down.
    std::optional<std::chrono::milliseconds> wait;
    /// Too many failures in a row, or none would help: the server counts as failed until it comes up.
    bool failed = false;
  };
  /// The server went down, or did not come up. `worth_a_retry` is false where the same would happen again (no
  /// such command); `jitter` is in [0, 1).
  decision went_down(time_point now, bool worth_a_retry, double jitter);

  /// Failures in a row.
  unsigned failures() const noexcept { return failures_; }
  bool has_come_up() const noexcept { return has_come_up_; }

private:
  config::restart_options options_;
  unsigned failures_ = 0;
  bool up_ = false;
  bool has_come_up_ = false;
  time_point up_since_;
};

} // namespace troupe
