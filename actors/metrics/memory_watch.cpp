#include "actors/metrics/memory_watch.hpp"

#include "actors/defaults.hpp"

#include <utility>

namespace troupe {

memory_watch::memory_watch(std::size_t limit, std::function<std::size_t()> read, std::function<void()> trim)
    : limit_(limit), read_(std::move(read)), trim_(std::move(trim)),
      next_look_(clock::time_point::min().time_since_epoch().count()),
      next_trim_(clock::time_point::min().time_since_epoch().count()) {}

bool memory_watch::look(clock::time_point now) {
  const auto is_much = [this] { return read_() > limit_ / 10 * defaults::memory_short_tenths; };
  if (!is_much())
    return false;
  if (now.time_since_epoch().count() < next_trim_.load(std::memory_order_relaxed))
    return true;
  next_trim_.store(clock::duration(now.time_since_epoch() + defaults::memory_trim).count(),
                   std::memory_order_relaxed);
  trim_();
  return is_much();
}

bool memory_watch::is_short(clock::time_point now) {
  auto due = next_look_.load(std::memory_order_relaxed);
  const auto next = clock::duration(now.time_since_epoch() + defaults::memory_look).count();
  // One of those who find that it is time looks.
  if (now.time_since_epoch().count() >= due &&
      next_look_.compare_exchange_strong(due, next, std::memory_order_relaxed))
    is_short_.store(look(now), std::memory_order_relaxed);
  return is_short_.load(std::memory_order_relaxed);
}

} // namespace troupe
