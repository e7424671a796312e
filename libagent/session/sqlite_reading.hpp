#pragma once

#include "libagent/session/sqlite_database.hpp"

#include <string>

namespace troupe::sqlite {

struct readable {
  database opened;
  /// What is wrong with it as a whole, in words; empty if nothing shows so far.
  std::string damage{};
};

/// Opens a database that is there, to read it only. Beside other processes where the log's index (`-shm`) can
/// be shared with them; where it cannot, for the disk is full or cannot be written, only if nobody has the
/// database open, and nobody can open it meanwhile. What stands in its log (`-wal`) is read in any case.
/// Nothing is written but what every last connection to go writes: pages of the log to the database. Not for
/// a process that has the same database open. One whose end is missing, or some of whose list of tables is
/// damaged, is read as far as it goes: what needs a part that is not there fails. Error `store_failed` says
/// why it cannot be read, and what helps.
result<readable> open_to_read(const std::string& path, int busy_milliseconds);

} // namespace troupe::sqlite
