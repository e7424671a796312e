#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace troupe {

/// So many of something a minute, as a bucket that holds a minute's worth and fills at an even pace. It may
/// be taken below empty, by what cost more than was thought, and is then paid off first. Pure.
class token_bucket {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Full at the start. Nothing given: no bound.
  explicit token_bucket(std::optional<std::uint64_t> a_minute = {}) noexcept;

  bool is_bounded() const noexcept { return a_minute_ > 0; }
  /// Until `amount` may be taken; 0 for now. What is more than the whole bucket has to wait until it is full.
  std::chrono::milliseconds wait_for(double amount, time_point now) noexcept;
  void take(double amount, time_point now) noexcept;
  void give_back(double amount, time_point now) noexcept;

private:
  void fill(time_point now) noexcept;

  /// 0: no bound.
  double a_minute_ = 0;
  double level_ = 0;
  std::optional<time_point> filled_at_;
};

struct rate_bounds {
  std::optional<std::uint64_t> requests_per_minute{};
  std::optional<std::uint64_t> tokens_per_minute{};
};

/// Requests and tokens a minute together. Tokens are estimated before a call and corrected after it.
class rate_limit {
public:
  using time_point = token_bucket::time_point;

  explicit rate_limit(rate_bounds bounds = {}) noexcept
      : requests_(bounds.requests_per_minute), tokens_(bounds.tokens_per_minute) {}

  /// Whether an estimate is needed.
  bool counts_tokens() const noexcept { return tokens_.is_bounded(); }
  bool is_bounded() const noexcept { return requests_.is_bounded() || tokens_.is_bounded(); }

  /// Takes a request of so many tokens; nothing is taken where it has to wait, and the wait is answered.
  std::chrono::milliseconds take(std::uint64_t estimated, time_point now) noexcept;
  /// Takes it though there may be none left: for another try of a call that was let through.
  void force(std::uint64_t estimated, time_point now) noexcept;
  /// The call has cost so many.
  void correct(std::uint64_t estimated, std::uint64_t cost, time_point now) noexcept;

private:
  token_bucket requests_;
  token_bucket tokens_;
};

} // namespace troupe
