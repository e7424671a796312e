#pragma once

#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/store.hpp"

#include <memory>
#include <string>

namespace troupe::sqlite {

/// How long a call waits for another process's write. A commit takes milliseconds; this covers a slow disk.
inline constexpr int busy_milliseconds = 5000;

/// A store, with a journal, over a database that can only be read and is of this version's schema. Whatever
/// would write fails, and so does what needs a part of the schema that is damaged, which `damage` is told.
result<std::unique_ptr<session_store>> store_to_read(std::shared_ptr<database> opened, std::string& damage);

} // namespace troupe::sqlite
