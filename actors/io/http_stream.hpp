#pragma once

#include "actors/io/http_client.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>

namespace troupe::io {

/// What a streamed answer has beside the rest of its exchange: whom it is told to, how much of it is
/// outstanding, and how long it may take. Used on the reactor's thread only, but for `consume`.
class http_stream {
public:
  using time_point = std::chrono::steady_clock::time_point;

  http_stream(const http_stream_options& options, decltype(http_stream_handlers::on_head) on_head,
              decltype(http_stream_handlers::on_data) on_data, time_point started);

  /// Tells the head, the first time, and counts and hands out the bytes of the body.
  void tell(http_response part);
  /// Takes bytes off what is outstanding. True if that made room in a full window. On any thread.
  bool consume(std::size_t bytes);

  /// True if the window is full: not to be read from before `go_on`.
  bool hold_back();
  /// Bytes came, or reading goes on after it was held back: the idle timeout begins anew.
  void go_on(time_point now);
  /// True once `go_on` was called, that is since the head came; before, the request's own timeout holds.
  bool begun() const { return begun_; }
  /// When it is to be given up, as things stand now; while it is held back that moves on with the clock.
  time_point due(time_point now) const;
  /// True if `total_timeout` has passed.
  bool over(time_point now) const { return now >= end_; }

  std::chrono::milliseconds idle_timeout() const { return idle_timeout_; }
  std::chrono::milliseconds total_timeout() const { return total_timeout_; }

private:
  decltype(http_stream_handlers::on_head) on_head_;
  decltype(http_stream_handlers::on_data) on_data_;
  const std::size_t window_;
  const std::chrono::milliseconds idle_timeout_;
  const std::chrono::milliseconds total_timeout_;
  const time_point end_;
  std::atomic<std::size_t> outstanding_{0};
  time_point last_;
  bool begun_ = false;
  bool head_told_ = false;
  bool held_back_ = false;
};

} // namespace troupe::io
