#pragma once

#include "libagent/core/result.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// Tells whether processes that share a file are alive: each holds the lock of one byte of a file beside it,
/// which the kernel lets go of with the process, however that ends. Local file systems only, as for SQLite
/// in WAL mode.
class process_lock {
public:
  process_lock() = default;
  process_lock(process_lock&& other) noexcept;
  process_lock& operator=(process_lock&& other) noexcept;
  ~process_lock();

  /// Opens or creates the file. Error `store_failed`.
  static result<process_lock> open(const std::string& path);

  /// Takes the lock of that number, for as long as this lives. Error `store_failed` if another has it.
  result<void> take(std::int64_t number);
  /// Whether somebody holds the lock of that number, this one included. True where that cannot be told.
  bool is_held(std::int64_t number) const noexcept;

private:
  int descriptor_ = -1;
  std::int64_t own_ = -1;
};

/// A process's place among those that share a file, and its lock. Whoever opens the file a second time for
/// the same process uses the same one: meanwhile others would take what the process has under way for
/// orphaned.
struct process_seat {
  process_lock lock;
  /// 0 before it has one.
  std::int64_t number = 0;
};

} // namespace troupe
