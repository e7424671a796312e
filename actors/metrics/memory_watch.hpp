#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace troupe {

/// Knows whether the process has so little memory left that it had better begin nothing more. Looks a few
/// times a second at most, whoever asks. Thread-safe.
class memory_watch {
public:
  using clock = std::chrono::steady_clock;

  /// `read` tells how many bytes the process has taken, `trim` gives back to the system what the allocator
  /// keeps of them: it is called when memory is short, every few seconds at most. Both must be thread-safe.
  memory_watch(
      std::size_t limit, std::function<std::size_t()> read, std::function<void()> trim = [] {});

  /// Whether more than 90 % of the limit is taken.
  bool is_short(clock::time_point now);
  std::size_t limit() const noexcept { return limit_; }

private:
  bool look(clock::time_point now);

  std::size_t limit_;
  std::function<std::size_t()> read_;
  std::function<void()> trim_;
  std::atomic<clock::rep> next_look_;
  /// Looked at only by who looks.
  std::atomic<clock::rep> next_trim_;
  std::atomic<bool> is_short_ = false;
};

} // namespace troupe
