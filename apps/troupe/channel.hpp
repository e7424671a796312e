#pragma once

#include <cerrno>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace troupe::cli {

/// Hands values from actors to the main thread, in order, with a descriptor to wait on. Thread-safe.
template <class T>
class channel {
public:
  channel() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) {
    if (descriptor_ < 0)
      throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~channel() { close(descriptor_); }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  void push(T value) {
    const auto guard = std::lock_guard{mutex_};
    values_.push_back(std::move(value));
    const auto one = std::uint64_t{1};
    [[maybe_unused]] const auto written = write(descriptor_, &one, sizeof one);
  }

  /// The oldest value, or nothing if there is none right now.
  std::optional<T> pop() {
    const auto guard = std::lock_guard{mutex_};
    if (values_.empty())
      return std::nullopt;
    auto count = std::uint64_t{};
    [[maybe_unused]] const auto taken = read(descriptor_, &count, sizeof count);
    auto first = std::optional<T>{std::move(values_.front())};
    values_.pop_front();
    return first;
  }

  /// Readable while there is a value.
  int descriptor() const noexcept { return descriptor_; }

private:
  int descriptor_;
  std::mutex mutex_;
  std::deque<T> values_;
};

} // namespace troupe::cli
