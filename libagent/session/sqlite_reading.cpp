#include "libagent/session/sqlite_reading.hpp"

#include "libagent/session/file_hold.hpp"
#include "libagent/session/sqlite_salvage.hpp"

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
      "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; {}; SELECT 1 FROM sqlite_schema LIMIT 1", mode));
}

/// What is wrong with a file that is damaged as such.
std::string damage_of(const database& opened, const error& reason) {
  const auto [promised, there] = opened.pages();
  return there < promised ? fmt::format("its end is missing: it has {} of {} pages", there, promised)
                          : fmt::format("its list of tables is damaged: {}", words_of(opened, reason));
}

/// What it says to be missing, and what of its list of tables cannot be understood, is taken for not there.
result<std::string> begin_to_read_damaged(database& opened, const error& reason) {
  const auto damage = damage_of(opened, reason);
  if (auto read = begin_to_read(opened, "PRAGMA writable_schema = ON"); !read)
    return read.error();
  // Without these there is nothing to be found.
  if (auto found = opened.execute("SELECT key, id FROM runs LIMIT 0; SELECT key, id FROM sessions LIMIT 0");
      !found)
    return found.error();
  return damage;
}

error no_tables(const error& reason) {
  return fail(errc::store_failed,
              fmt::format("{} (its list of tables is damaged, so that nothing can be found in it; SQLite's "
                          "`.recover` may still get at it: docs/journal.md#damage)",
                          reason.detail));
}

/// Of one that may be damaged. Its damage.
result<std::string> begin_to_read_any(database& opened, std::string_view mode) {
  const auto read = begin_to_read(opened, mode);
  if (read)
    return std::string();
  if (opened.code() != SQLITE_CORRUPT)
    return read.error();
  auto damaged = begin_to_read_damaged(opened, read.error());
  return damaged ? std::move(damaged) : no_tables(read.error());
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

error not_even_alone(const error& reason) {
  return fail(errc::store_failed,
              fmt::format("{} (nor can it be read without writing beside it: copy it, and its -wal if there "
                          "is one, to where there is room, and name the copy in an agent file)",
                          reason.detail));
}

/// Nobody else has the database open.
result<readable> open_alone(const std::string& path, file_hold&& hold) {
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
    return not_even_alone(opened.error());
  auto damage = begin_to_read_any(*opened, mode);
  if (!damage)
    return opened->is_damaged() ? damage.error() : not_even_alone(damage.error());
  return readable{std::move(*opened), std::move(*damage)};
}

} // namespace

result<readable> open_to_read(const std::string& path, int busy_milliseconds) {
  error reason;
  {
    // Not READONLY: that would leave the log and its index behind. SQLite makes do with reading where it has
    // to.
    auto shared = database::open(path, {path, SQLITE_OPEN_READWRITE}, busy_milliseconds);
    if (shared) {
      auto damage = begin_to_read_any(*shared, "");
      if (damage)
        return readable{std::move(*shared), std::move(*damage)};
      if (!needs_to_write(shared->code()))
        return damage.error();
      reason = damage.error();
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
  return open_alone(path, std::move(*hold));
}

} // namespace troupe::sqlite
