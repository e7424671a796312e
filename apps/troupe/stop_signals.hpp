#pragma once

#include <optional>
#include <thread>

namespace troupe::cli {

/// SIGINT, SIGTERM and SIGHUP as something to wait for instead of something that interrupts. To be made
/// before any thread starts: they stay blocked in all threads made afterwards. SIGPIPE is ignored from then
/// on. One at a time; not thread-safe.
class stop_signals {
public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  /// Waits until the descriptor is readable or at its end, or a signal came: then its number.
  std::optional<int> wait(int descriptor);
  /// Waits for a signal.
  int wait();

  /// The descriptor that is readable while a signal waits to be taken.
  int descriptor() const noexcept { return descriptor_; }

private:
  std::optional<int> take();

  int descriptor_;
};

/// While it lives, a signal to stop ends the program at once, with 128 and its number as the exit code:
/// for whoever will not wait for an orderly shutdown. Nobody else may wait for signals meanwhile.
class impatience {
public:
  explicit impatience(const stop_signals& signals);
  ~impatience();
  impatience(const impatience&) = delete;
  impatience& operator=(const impatience&) = delete;

private:
  int done_;
  std::thread watcher_;
};

} // namespace troupe::cli
