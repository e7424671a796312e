#include "actors/io/http_stream.hpp"

#include "actors/io/defaults.hpp"

#include <algorithm>
#include <utility>

namespace troupe::io {

using std::chrono::milliseconds;

http_stream::http_stream(const http_stream_options& options, decltype(http_stream_handlers::on_head) on_head,
                         decltype(http_stream_handlers::on_data) on_data, time_point started)
    : on_head_(std::move(on_head)), on_data_(std::move(on_data)),
      window_(std::max<std::size_t>(options.window, 1)),
      idle_timeout_(std::min<milliseconds>(options.idle_timeout, defaults::longest_timeout)),
      total_timeout_(std::min<milliseconds>(options.total_timeout, defaults::longest_timeout)),
      end_(started + total_timeout_) {}

void http_stream::tell(http_response part) {
  // Counted first: the handler may consume at once.
  outstanding_ += part.body.size();
  if (!std::exchange(head_told_, true) && on_head_)
    on_head_(part.status, std::move(part.headers));
  if (!part.body.empty() && on_data_)
    on_data_(std::move(part.body));
}

bool http_stream::consume(std::size_t bytes) {
  auto before = outstanding_.load();
  while (!outstanding_.compare_exchange_weak(before, before - std::min(before, bytes))) {
  }
  return before >= window_ && before - std::min(before, bytes) < window_;
}

bool http_stream::hold_back() {
  // Whoever makes room after this has a reason to wake the reactor.
  held_back_ = outstanding_ >= window_;
  return held_back_;
}

void http_stream::go_on(time_point now) {
  begun_ = true;
  held_back_ = false;
  last_ = now;
}

http_stream::time_point http_stream::due(time_point now) const {
  return std::min(end_, (held_back_ ? now : last_) + idle_timeout_);
}

} // namespace troupe::io
