#pragma once

#include "actors/run_event.hpp"

#include <cstddef>
#include <utility>

namespace troupe::http {

/// What was read of a run's log for one client, handed out as the client takes it: no event is while more
/// than `room` bytes are on their way.
class unwritten_events {
public:
  explicit unwritten_events(std::size_t room = 0) : room_(room) {}

  bool has_room() const noexcept { return on_their_way_ <= room_; }
  /// All that came before has been handed out.
  void came(run_events_ptr events) {
    events_ = std::move(events);
    next_ = 0;
  }
  /// Null if there is none, or no room for it. Valid until others come.
  const stored_event* next() {
    if (is_empty() || !has_room())
      return nullptr;
    return &events_->events[next_++];
  }
  bool is_empty() const noexcept { return !events_ || next_ == events_->events.size(); }

  void wrote(std::size_t bytes) noexcept { on_their_way_ += bytes; }
  void taken(std::size_t bytes) noexcept { on_their_way_ -= bytes < on_their_way_ ? bytes : on_their_way_; }

private:
  std::size_t room_;
  std::size_t on_their_way_ = 0;
  run_events_ptr events_;
  std::size_t next_ = 0;
};

} // namespace troupe::http
