#pragma once

#include "libagent/config/server_security.hpp"

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::auth {

/// Counts requests against what each key may make in a minute: so many at once, and then as they come free,
/// one by one.
class rate_limits {
public:
  using clock = std::chrono::steady_clock;

  /// Only of keys that have a bound.
  explicit rate_limits(const std::vector<config::api_key_options>& keys);

  /// Counts a request. Zero, or how long to wait before the next one is let through; one that is not let
  /// through does not count.
  clock::duration take(const std::string& key, clock::time_point now);

private:
  struct bucket {
    /// Until one request is free again.
    clock::duration each;
    clock::duration whole;
    /// When all of them will be.
    clock::time_point full_at{};
  };
  std::unordered_map<std::string, bucket> buckets_;
};

} // namespace troupe::auth
