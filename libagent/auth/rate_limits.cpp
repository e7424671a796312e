#include "libagent/auth/rate_limits.hpp"

#include <algorithm>

namespace troupe::auth {

rate_limits::rate_limits(const std::vector<config::api_key_options>& keys) {
  constexpr clock::duration minute = std::chrono::minutes(1);
  for (const auto& key : keys)
    if (key.requests_per_minute)
      buckets_.emplace(key.name, bucket{minute / *key.requests_per_minute, minute});
}

rate_limits::clock::duration rate_limits::take(const std::string& key, clock::time_point now) {
  const auto found = buckets_.find(key);
  if (found == buckets_.end())
    return clock::duration::zero();
  auto& limit = found->second;
  const auto full_at = std::max(limit.full_at, now) + limit.each;
  if (full_at - now > limit.whole)
    return full_at - now - limit.whole;
  limit.full_at = full_at;
  return clock::duration::zero();
}

} // namespace troupe::auth
