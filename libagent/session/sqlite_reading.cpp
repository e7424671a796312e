#include "libagent/session/sqlite_reading.hpp"

#include "libagent/session/file_hold.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace troupe::sqlite {

namespace {

/// Whether it failed at what takes room, or leave to write.
bool needs_to_write(int code) {
  return code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_IOERR || code == SQLITE_FULL ||
         code == SQLITE_PERM;
}

/// The first read takes the locks and finds what stands in the log.
result<void> begin_to_read(database& opened, std::string_view mode) {
  // Sorting is not to need the disk either.
  return opened.execute(fmt::format(
      "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; {}; SELECT count(*) FROM sqlite_schema", mode));
}

/// As a URI of SQLite's (sqlite.org/uri.html).
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const auto each : path)
    if (each == '?' || each == '#' || each == '%')
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(each));
    else
      uri += each;
  return uri;
}

/// Nobody else has the database open.
result<database> open_alone(const std::string& path, file_hold&& hold) {
  opening how{path, SQLITE_OPEN_READONLY};
  how.kept = std::make_shared<const file_hold>(std::move(hold));
  auto ignored = std::error_code{};
  const auto logged = std::filesystem::file_size(path + "-wal", ignored);
  std::string_view mode = "PRAGMA locking_mode = EXCLUSIVE";
  if (ignored || logged == 0) {
    // There is no log to be heeded, and the database stays as it is for as long as it is held.
    how.name = uri_of(path) + "?immutable=1";
    how.flags |= SQLITE_OPEN_URI;
  } else {
    // Who locks exclusively has the log's index in memory (sqlite.org/wal.html#noshm). SQLite's own lock
    // would have to write to the database's file; this VFS takes none, and the hold stands in for it.
    how.vfs = "unix-none";
  }
  auto opened = database::open(path, how, 0);
  if (!opened)
    return opened;
  if (auto read = begin_to_read(*opened, mode); !read)
    return read.error();
  return opened;
}

} // namespace

result<database> open_to_read(const std::string& path, int busy_milliseconds) {
  error reason;
  {
    // Not READONLY: that would leave the log and its index behind. SQLite makes do with reading where it has
    // to.
    auto shared = database::open(path, {path, SQLITE_OPEN_READWRITE}, busy_milliseconds);
    if (shared) {
      auto read = begin_to_read(*shared, "");
      if (read)
        return shared;
      if (shared->code() == SQLITE_CORRUPT)
        return fail(
            errc::store_failed,
            fmt::format("{} (its list of tables is damaged, so that nothing can be found in it; SQLite's "
                        "`.recover` may still get at it: docs/journal.md#damage)",
                        read.error().detail));
      if (!needs_to_write(shared->code()))
        return read.error();
      reason = read.error();
    } else {
      reason = shared.error();
    }
  }
  auto hold = file_hold::take(path);
  if (!hold && hold.error().code == errc::conflict)
    return fail(
        errc::store_failed,
        fmt::format("{} (it can be read without writing beside it, but only while nobody has it open, "
                    "and somebody has: stop that server, or make room)",
                    reason.detail));
  if (!hold)
    return fail(errc::store_failed, fmt::format("session database \"{}\": {}", path, hold.error().detail));
  auto alone = open_alone(path, std::move(*hold));
  if (!alone)
    return fail(
        errc::store_failed,
        fmt::format("{} (nor can it be read without writing beside it: copy it, and its -wal if there "
                    "is one, to where there is room, and name the copy in an agent file)",
                    alone.error().detail));
  return alone;
}

} // namespace troupe::sqlite
