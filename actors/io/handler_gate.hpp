#pragma once

#include <mutex>
#include <utility>

namespace troupe::io {

/// Lets handlers run one at a time until it is closed. `close` waits for a handler that is running on
/// another thread, so that after it nothing that the handlers refer to is in use; inside a handler it
/// returns at once.
class handler_gate {
public:
  /// Calls `function` unless the gate is closed.
  template <class F>
  void run(F&& function) {
    std::lock_guard lock(mutex_);
    if (!closed_)
      std::forward<F>(function)();
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

private:
  // Recursive, since a handler may destroy what owns the gate.
  std::recursive_mutex mutex_;
  bool closed_ = false;
};

} // namespace troupe::io
