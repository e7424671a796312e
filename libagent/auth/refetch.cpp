#include "libagent/auth/refetch.hpp"

#include "libagent/auth/defaults.hpp"

namespace troupe::auth {

bool refetch::is_due_for_stranger(clock::time_point now) const {
  const auto pause = has_keys() ? defaults::refetch_pause : defaults::first_fetch_pause;
  return !is_running_ && (!begun_at_ || now - *begun_at_ >= pause);
}

bool refetch::is_due_for_age(clock::time_point now) const {
  return has_keys() && now - *loaded_at_ >= defaults::jwks_age && is_due_for_stranger(now);
}

void refetch::begin(clock::time_point now) {
  is_running_ = true;
  begun_at_ = now;
}

void refetch::end(clock::time_point now, bool has_keys) {
  is_running_ = false;
  if (has_keys)
    loaded_at_ = now;
}

} // namespace troupe::auth
