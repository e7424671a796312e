#pragma once

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>

namespace troupe::test {

/// Longer than anything takes on a busy machine; only a failing test waits that long.
inline constexpr std::chrono::seconds patience{20};

/// The future's value; throws if it does not come.
template <class T>
T await(std::future<T>& value) {
  if (value.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("nothing came in time");
  return value.get();
}

template <class T>
T await(std::promise<T>& value) {
  auto future = value.get_future();
  return await(future);
}

/// A value that threads change and a test waits for.
template <class T>
class watched {
public:
  template <class F>
  void change(F&& function) {
    {
      std::lock_guard lock(mutex_);
      function(value_);
    }
    changed_.notify_all();
  }
  T get() const {
    std::lock_guard lock(mutex_);
    return value_;
  }
  /// False if it does not become so in time.
  template <class Predicate>
  bool becomes(Predicate&& predicate) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return predicate(value_); });
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
};

} // namespace troupe::test
