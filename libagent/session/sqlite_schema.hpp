#pragma once

#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/stored_run.hpp"

namespace troupe::sqlite {

/// `user_version` of a database that is up to date.
inline constexpr std::int64_t schema_version = 6;

/// Makes the database one that this version can use: creates the schema in an empty one, migrates an older
/// one. Leaves alone and refuses another program's database and one of a newer version.
result<void> prepare_schema(database& opened, durability kept);

/// The version of a database that is ours, 0 of one that is empty; an error for what `prepare_schema`
/// refuses.
result<std::int64_t> read_version(database& opened);

} // namespace troupe::sqlite
