#pragma once

#include "libagent/session/journal_reader.hpp"
#include "libagent/session/sqlite_database.hpp"

#include <string>
#include <vector>

/// Reads a session database some of whose pages may be damaged. A damaged page ends a query that comes to it,
/// so lists are read from both ends, and of the table as well as of its index; and what they name one by one.
namespace troupe::sqlite {

found_ids salvage_runs(database& from);
found_ids salvage_sessions(database& from);
/// `journal_reader::remains`, still sealed.
result<std::optional<run_remains>> salvage_run(database& from, const std::string& run_id);
/// SQLite's own findings about the file; empty if there are none.
std::vector<std::string> check_pages(database& from);
/// `journal_reader::words_of`.
std::string words_of(const database& from, const error& reason);

} // namespace troupe::sqlite
