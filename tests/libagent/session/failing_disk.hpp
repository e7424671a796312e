#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe {

/// A disk that fails on purpose, under every SQLite database that is opened while it is there: SQLite's
/// default VFS (sqlite.org/vfs.html) with faults at a chosen write or sync. One at a time. Databases that
/// were opened on it have to be closed before it goes.
class failing_disk {
public:
  enum class fault {
    /// No room for the write (SQLITE_FULL), nor for any after it.
    full,
    /// The write fails (SQLITE_IOERR), once.
    broken,
    /// Half of it is written before it fails, once.
    cut,
    /// The power goes: this write, sync or change of size and all after it fail, and of what was written
    /// since the last sync of each file the disk keeps what `power_cut` draws.
    power,
    /// Nothing can be read (SQLITE_IOERR) from now on, whichever the operation.
    unreadable,
    /// There is no room for the index of a log (SQLITE_IOERR_SHMSIZE) from now on, whichever the operation.
    no_index,
  };

  failing_disk();
  ~failing_disk();
  failing_disk(const failing_disk&) = delete;
  failing_disk& operator=(const failing_disk&) = delete;

  /// The n-th operation from now on, from 1.
  void fail_at(std::size_t n, fault what);
  void repair();
  /// Operations since the last `fail_at` or `repair`.
  std::size_t operations() const;

  /// What is left after the power cut: each write that was not synced is there, is not, or is torn, as the
  /// seed has it. Databases have to be closed.
  void power_cut(std::uint64_t seed);
};

} // namespace troupe
