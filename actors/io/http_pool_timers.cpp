#include "actors/io/http_pool.hpp"

#include "actors/io/defaults.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::io {

using boost::system::error_code;
using std::chrono::steady_clock;

void http_client::pool::watch(http_exchange& exchange, http_exchange::time_point at) {
  exchange.watched = at;
  deadlines_.add(at, exchange.id);
  {
    std::lock_guard lock(mutex_);
    if (deadlines_.size() > 2 * live_.size() + 1024)
      deadlines_.keep_if([this](http_request_id id) { return live_.contains(id); });
  }
  arm_sweep();
}

void http_client::pool::arm_sweep() {
  auto next = deadlines_.next();
  if (!next || (sweep_armed_ && sweep_timer_.expiry() <= *next + defaults::sweep_interval))
    return;
  sweep_armed_ = true;
  sweep_timer_.expires_at(*next + defaults::sweep_interval);
  sweep_timer_.async_wait([weak = weak_from_this()](const error_code& ec) {
    if (auto self = weak.lock(); self && !ec && !self->closed_)
      self->sweep();
  });
}

error http_client::pool::late(const http_exchange& exchange, http_exchange::time_point now) const {
  auto seconds = [](std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000; };
  const auto peer = host_and_port(way_->origin.host, way_->origin.port);
  const auto* stream = exchange.stream.get();
  if (stream == nullptr || !stream->begun())
    return fail(errc::deadline_exceeded,
                fmt::format("no answer from {} within {:g} s", peer, seconds(exchange.timeout)));
  if (stream->over(now))
    return fail(errc::deadline_exceeded, fmt::format("the answer of {} was not complete within {:g} s", peer,
                                                     seconds(stream->total_timeout())));
  return fail(errc::deadline_exceeded, fmt::format("{} fell silent for {:g} s in the middle of its answer",
                                                   peer, seconds(stream->idle_timeout())));
}

void http_client::pool::sweep() {
  sweep_armed_ = false;
  const auto now = steady_clock::now();
  for (auto id : deadlines_.take_due(now)) {
    auto exchange = find(id);
    // It may be watched by another entry of the heap.
    if (exchange == nullptr || exchange->watched > now || closed_)
      continue;
    if (const auto due = exchange->due(now); due > now)
      watch(*exchange, due);
    else
      abandon(id, late(*exchange, now));
  }
  {
    // The dead must not keep the timer running.
    std::lock_guard lock(mutex_);
    deadlines_.keep_if([this](http_request_id id) { return live_.contains(id); });
  }
  if (!closed_)
    arm_sweep();
}

void http_client::pool::arm_idle() {
  if (idle_armed_ || idle_.empty())
    return;
  idle_armed_ = true;
  idle_timer_.expires_at(idle_.front()->idle_since + options_.idle_timeout);
  idle_timer_.async_wait([weak = weak_from_this()](const error_code& ec) {
    if (auto self = weak.lock(); self && !ec && !self->closed_)
      self->close_idle();
  });
}

void http_client::pool::close_idle() {
  idle_armed_ = false;
  const auto oldest_kept = steady_clock::now() - options_.idle_timeout;
  auto kept = std::find_if(idle_.begin(), idle_.end(),
                           [&](const connection_ptr& one) { return one->idle_since > oldest_kept; });
  for (auto one = idle_.begin(); one != kept; ++one) {
    (*one)->close();
    forget(*one);
  }
  idle_.erase(idle_.begin(), kept);
  arm_idle();
}

} // namespace troupe::io
