#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace troupe::http {

/// Holds a streamed run back while its client takes nothing: events are acknowledged as they come, until more
/// than `bound` bytes of them wait to be taken, and then once they do not any more.
class event_flow {
public:
  explicit event_flow(std::size_t bound) noexcept : bound_(bound) {}

  /// An event came, and is on its way to the client as so many bytes. Returns how many events to acknowledge
  /// now.
  std::uint64_t came(std::size_t bytes) noexcept {
    waiting_ += bytes;
    ++held_;
    return release();
  }

  /// So many bytes were taken. Returns how many events to acknowledge now.
  std::uint64_t taken(std::size_t bytes) noexcept {
    waiting_ -= bytes < waiting_ ? bytes : waiting_;
    return release();
  }

  /// Returns how many events to acknowledge before those of another source come.
  std::uint64_t change_source() noexcept { return std::exchange(held_, 0); }

private:
  std::uint64_t release() noexcept { return waiting_ > bound_ ? 0 : std::exchange(held_, 0); }

  std::size_t bound_;
  std::size_t waiting_ = 0;
  std::uint64_t held_ = 0;
};

} // namespace troupe::http
