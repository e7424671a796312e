#pragma once

#include <chrono>
#include <optional>

namespace troupe::mcp {

/// Decides when to ping a server, and when it counts as dead (MCP, "Utilities / Ping"). Time is the owner's.
///
/// A server that has said nothing for an interval is pinged, but not while it works on calls: it may well do
/// one thing after the other, and calls have timeouts of their own. One that let a call run into its timeout
/// is pinged at once.
class heartbeat {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;

  enum class need { nothing, ping, give_up };

  /// `timeout`: for the answer to a ping.
  heartbeat(milliseconds interval, milliseconds timeout, time_point now)
      : interval_(interval), timeout_(timeout), heard_(now) {}

  /// The server said something.
  void heard(time_point now) { heard_ = now; }
  /// The server answered the ping.
  void answered() { pinged_.reset(); }
  /// A call ran into its timeout.
  void doubt() { doubted_ = true; }

  /// What to do now. After `ping` one is taken to be on its way.
  need look(time_point now, bool has_calls) {
    if (pinged_)
      return now >= *pinged_ + timeout_ ? need::give_up : need::nothing;
    if (!doubted_ && (has_calls || now < heard_ + interval_))
      return need::nothing;
    doubted_ = false;
    pinged_ = now;
    return need::ping;
  }

  /// When to look again, at the latest; later than `now`.
  time_point next_look(time_point now) const {
    const auto next = pinged_ ? *pinged_ + timeout_ : heard_ + interval_;
    return next > now ? next : now + interval_;
  }

private:
  milliseconds interval_;
  milliseconds timeout_;
  time_point heard_;
  /// When the ping that is not answered yet was sent.
  std::optional<time_point> pinged_;
  bool doubted_ = false;
};

} // namespace troupe::mcp
