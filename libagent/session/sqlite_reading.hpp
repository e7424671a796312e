#pragma once

#include "libagent/session/sqlite_database.hpp"

#include <string>

namespace troupe::sqlite {

/// Opens a database that is there, to read it only. Beside other processes where the log's index (`-shm`) can
/// be shared with them; where it cannot, for the disk is full or cannot be written, only if nobody has the
/// database open, and nobody can open it meanwhile. What stands in its log (`-wal`) is read in any case.
/// Nothing is written but what every last connection to go writes: pages of the log to the database. Not for
/// a process that has the same database open. Error `store_failed` says why it cannot be read, and what
/// helps.
result<database> open_to_read(const std::string& path, int busy_milliseconds);

} // namespace troupe::sqlite
