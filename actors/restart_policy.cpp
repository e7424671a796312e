#include "actors/restart_policy.hpp"

#include "actors/defaults.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {

void restart_policy::came_up(time_point now) {
  up_ = true;
  has_come_up_ = true;
  up_since_ = now;
}

restart_policy::decision restart_policy::went_down(time_point now, bool worth_a_retry, double jitter) {
  if (up_ && now - up_since_ >= defaults::mcp_stable_after)
    failures_ = 0;
  up_ = false;
  ++failures_;
  if (options_.when == config::restart_options::policy::never)
    return {std::nullopt, true};
  if (!worth_a_retry || failures_ > options_.max_restarts)
    return {options_.cooldown, true};
  const auto full = static_cast<double>(options_.initial_backoff.count()) * std::pow(2.0, failures_ - 1.0);
  const auto capped = std::min(full, static_cast<double>(options_.max_backoff.count()));
  // Between half and all of it, so that servers that fell together do not rise together.
  return {std::chrono::milliseconds(static_cast<std::int64_t>(capped * (0.5 + jitter / 2))), false};
}

} // namespace troupe
