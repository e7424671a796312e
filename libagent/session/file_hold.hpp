#pragma once

#include "libagent/core/result.hpp"

#include <string>

namespace troupe {

/// Sees to it that no SQLite connection has a database open: by the lock of the bytes that each of them locks
/// (sqlite.org/lockingv3.html, and sqlite.org/walformat.html for WAL mode, where they are locked for as long
/// as the connection lasts). Not for a process that has the database open itself: it would lose its own
/// locks.
class file_hold {
public:
  file_hold() = default;
  file_hold(file_hold&& other) noexcept;
  file_hold& operator=(file_hold&& other) noexcept;
  ~file_hold();

  /// Keeps others out for as long as this lives. Where the file cannot be written, neither can a lock be held
  /// on it: it is only seen to that nobody has it open now. Error `conflict` if somebody has, `store_failed`
  /// if it cannot be opened, with the reason.
  static result<file_hold> take(const std::string& path);

private:
  int descriptor_ = -1;
};

} // namespace troupe
