#pragma once

#include "libagent/session/journal_reader.hpp"

#include <functional>
#include <string>
#include <vector>

/// What is wrong with a journal, and the runs in it.
namespace troupe::cli {

/// Hands each event of the run to `take`, so many at a time that they need little memory.
result<void> each_event(session_store& store, const std::string& run_id,
                        const std::function<void(const stored_event&)>& take);

/// What is wrong with a run, in words: of each part that a server could not read as it was written. Empty if
/// nothing is, or if there is no such run.
std::vector<std::string> damage_of(journal_reader& journal, const std::string& run_id);

/// "run ...: ", before a text that does not name the run itself.
std::string about_run(const std::string& run_id, const std::string& detail);

/// Prints all that is wrong with the file, its runs and its sessions, each thing once; an exit code.
int check_all(journal_reader& journal, bool as_json);

} // namespace troupe::cli
