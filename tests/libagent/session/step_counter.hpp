#pragma once

#include <sqlite3.h>

#include <cstddef>

namespace troupe {

/// Counts what SQLite has to do, in steps of its virtual machine, on all connections that are opened while
/// it lives. One at a time.
class step_counter {
public:
  step_counter() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  ~step_counter() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  step_counter(const step_counter&) = delete;
  step_counter& operator=(const step_counter&) = delete;

  /// Since it was last asked.
  static std::size_t take() {
    const auto taken = steps;
    steps = 0;
    return taken;
  }

private:
  static int watch(sqlite3* opened, const char**, const void*) {
    sqlite3_progress_handler(
        opened, 1,
        [](void*) {
          ++steps;
          return 0;
        },
        nullptr);
    return SQLITE_OK;
  }

  static inline std::size_t steps = 0;
};

} // namespace troupe
