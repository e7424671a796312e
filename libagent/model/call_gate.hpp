#pragma once

#include "libagent/model/circuit_breaker.hpp"
#include "libagent/model/rate_limit.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace troupe {

struct gate_options {
  /// Calls at once, their waits for another try included; nothing given: no bound.
  std::optional<std::size_t> max_concurrency{};
  rate_bounds rate{};
  /// Calls that may wait.
  std::size_t max_queue = 4096;
  /// Calls that try again at the same time, their waits before that included.
  std::size_t max_retries_in_flight = 3;
  breaker_options breaker{};
};

/// Decides which calls of an endpoint may be made, which wait, and which are refused: a breaker, a rate
/// limit, a bound on calls at once, and a bound on calls that try again. Waiting calls go in the order in
/// which they came. Pure: time and chance come in as arguments.
class call_gate {
public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Names a call; the caller's to choose.
  using call_id = std::uint64_t;

  call_gate() : call_gate(gate_options{}) {}
  explicit call_gate(gate_options options)
      : options_(options), breaker_(options.breaker), rate_(options.rate) {}

  /// What the gate knows of a call that was let through; kept by the caller until `end`.
  struct ticket {
    std::uint64_t estimated = 0;
    bool is_probe = false;
    bool is_retry = false;
  };

  enum class verdict : std::uint8_t {
    go = 1,
    waits,
    /// The breaker is open.
    refused,
    /// Too many wait already.
    full,
  };
  struct answer {
    verdict what;
    /// For `go`.
    ticket pass{};
  };

  /// Whether `ask` needs an estimate of tokens.
  bool counts_tokens() const noexcept { return rate_.counts_tokens(); }
  answer ask(call_id id, std::uint64_t estimated, time_point now);

  struct waiting_call {
    call_id id;
    /// `go` or `refused`.
    answer decided;
  };
  /// The next of the waiting calls that need not wait any longer; nothing if there is none now.
  std::optional<waiting_call> next(time_point now);
  /// When `next` may have one that only time holds back; nothing while none waits for that.
  std::optional<std::chrono::milliseconds> look_in(time_point now);
  /// A waiting call is given up; false if it does not wait.
  bool withdraw(call_id id);

  /// A try was answered, well or with the caller's own mistake.
  void answered(ticket& pass) noexcept;
  /// A try failed by the endpoint's fault.
  void failed(ticket& pass, time_point now, double jitter);
  /// Whether the call may try again, now or after a wait; it counts as trying again from here on.
  bool may_retry(ticket& pass, time_point now) noexcept;
  /// The try begins; false if the breaker has opened meanwhile.
  bool retry(ticket& pass, time_point now) noexcept;
  /// The call is over. `cost` in tokens, where it is known.
  void end(const ticket& pass, std::optional<std::uint64_t> cost, time_point now) noexcept;

  const circuit_breaker& breaker() const noexcept { return breaker_; }
  std::size_t in_flight() const noexcept { return in_flight_; }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t retries() const noexcept { return retries_; }

private:
  struct entry {
    call_id id;
    std::uint64_t estimated;
  };

  bool is_refusing(time_point now) const noexcept;
  bool is_crowded() const noexcept;
  /// Lets a call through that nothing holds back but perhaps the rate; nothing if that does.
  std::optional<answer> admit(std::uint64_t estimated, time_point now);

  gate_options options_;
  circuit_breaker breaker_;
  rate_limit rate_;
  std::deque<entry> waiting_;
  std::size_t in_flight_ = 0;
  std::size_t retries_ = 0;
  /// There is a probe under way.
  bool probing_ = false;
  /// Of the first waiting call: when the rate lets it through.
  std::optional<time_point> due_;
};

} // namespace troupe
