#pragma once

#include <chrono>
#include <optional>

namespace troupe::auth {

/// When keys that come from a URL are fetched. Knows no network: it is told.
class refetch {
public:
  using clock = std::chrono::steady_clock;

  /// Whether to fetch because somebody shows a token whose key is not known: not while it is being fetched,
  /// and once in a while only, lest strangers make us ask all the time.
  bool is_due_for_stranger(clock::time_point now) const;
  /// Whether to fetch because the keys have become old.
  bool is_due_for_age(clock::time_point now) const;

  void begin(clock::time_point now);
  /// What was fetched is in use now, or nothing came and the old keys stay.
  void end(clock::time_point now, bool has_keys);

  bool is_running() const noexcept { return is_running_; }
  bool has_keys() const noexcept { return loaded_at_.has_value(); }

private:
  bool is_running_ = false;
  std::optional<clock::time_point> begun_at_;
  std::optional<clock::time_point> loaded_at_;
};

} // namespace troupe::auth
