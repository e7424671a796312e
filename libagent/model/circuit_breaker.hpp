#pragma once

#include "libagent/core/errc.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

/// Closed: all goes through. Open: nothing does. Half-open: one goes through, and decides.
enum class breaker_state : std::uint8_t { closed = 1, open, half_open };
/// "closed", "open" or "half_open".
std::string_view to_string(breaker_state state) noexcept;

struct breaker_options {
  /// In a row, before it opens; 0 never opens it.
  unsigned failures = 5;
  /// How long it stays open the first time; doubled each time that the probe fails, up to the maximum.
  std::chrono::milliseconds cooldown{5'000};
  std::chrono::milliseconds max_cooldown{120'000};
};

/// Keeps calls from an endpoint that fails, and finds out by one call at a time whether it is back. Pure:
/// time and chance come in as arguments.
class circuit_breaker {
public:
  using time_point = std::chrono::steady_clock::time_point;

  circuit_breaker() = default;
  explicit circuit_breaker(breaker_options options) : options_(options) {}

  enum class admission : std::uint8_t {
    pass = 1,
    /// Goes through as the one that decides: exactly one of `succeeded`, `failed` and `abandoned` has to
    /// follow with `was_probe`.
    probe,
    refused,
  };
  admission admit(time_point now);

  /// A call was answered, be it by a refusal that is the caller's own fault.
  void succeeded(bool was_probe) noexcept;
  /// A call failed, and its endpoint is to blame (`is_endpoint_fault`). `jitter` in [0, 1) takes up to a
  /// quarter off the cooldown.
  void failed(bool was_probe, time_point now, double jitter);
  /// A call ended without telling anything about the endpoint: it was cancelled, or never sent.
  void abandoned(bool was_probe) noexcept;

  /// Half-open once the cooldown is over, whether a probe is under way or not.
  breaker_state state(time_point now) const noexcept;
  /// Until the next probe; 0 when one may go, or is under way; nothing while closed.
  std::optional<std::chrono::milliseconds> retry_in(time_point now) const noexcept;
  /// Since it opened for the first time; nothing while closed.
  std::optional<std::chrono::milliseconds> open_for(time_point now) const noexcept;
  /// In a row.
  unsigned failures() const noexcept { return failures_; }

private:
  void open(time_point now, double jitter);

  breaker_options options_;
  unsigned failures_ = 0;
  /// How often in a row it opened; 0 while closed.
  unsigned openings_ = 0;
  bool probing_ = false;
  time_point open_since_;
  time_point open_until_;
};

/// Whether a failed call of that kind is its endpoint's fault: it could not be reached, failed inside (a
/// status of 500 to 599), took too long, or broke its stream off. `status` is 0 where no answer came.
bool is_endpoint_fault(unsigned status, errc code, bool connection_error) noexcept;

} // namespace troupe
