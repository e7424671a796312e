#include "libagent/session/sqlite_schema.hpp"

#include "libagent/session/sqlite_sums.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace troupe::sqlite {

namespace {

/// "Trpe": tells our databases from others' (PRAGMA application_id).
constexpr std::int64_t application_id = 0x54727065;

/// The script at index n takes a database from version n to n + 1 (PRAGMA user_version). Scripts that have
/// been released are never changed, only followed by others.
constexpr auto migrations = std::array{
    R"(CREATE TABLE sessions(
         key INTEGER PRIMARY KEY,
         id TEXT NOT NULL UNIQUE,
         agent TEXT NOT NULL,
         created INTEGER NOT NULL,
         updated INTEGER NOT NULL);
       CREATE TABLE items(
         session INTEGER NOT NULL REFERENCES sessions(key),
         sequence INTEGER NOT NULL,
         item TEXT NOT NULL,
         UNIQUE(session, sequence));)",
    // The trigger heeds also a process of the older version that has the file open: what an erased session
    // leaves behind would pass to the next one that gets its key, approvals included.
    R"(CREATE TABLE session_usage(
         key INTEGER PRIMARY KEY,
         session INTEGER NOT NULL REFERENCES sessions(key),
         agent TEXT NOT NULL,
         model TEXT NOT NULL,
         requests INTEGER NOT NULL,
         input_tokens INTEGER NOT NULL,
         output_tokens INTEGER NOT NULL,
         cached_tokens INTEGER NOT NULL,
         reasoning_tokens INTEGER NOT NULL,
         UNIQUE(session, agent, model));
       CREATE TABLE session_approvals(
         session INTEGER NOT NULL REFERENCES sessions(key),
         agent TEXT NOT NULL,
         tool TEXT NOT NULL,
         PRIMARY KEY(session, agent, tool)) WITHOUT ROWID;
       CREATE TABLE paused_runs(
         session INTEGER PRIMARY KEY REFERENCES sessions(key),
         run_id TEXT NOT NULL UNIQUE,
         state TEXT NOT NULL);
       CREATE TRIGGER session_erased AFTER DELETE ON sessions BEGIN
         DELETE FROM items WHERE session = OLD.key;
         DELETE FROM session_usage WHERE session = OLD.key;
         DELETE FROM session_approvals WHERE session = OLD.key;
         DELETE FROM paused_runs WHERE session = OLD.key;
       END;)",
    "ALTER TABLE session_usage ADD COLUMN tool_calls INTEGER NOT NULL DEFAULT 0;",
    // The journal: docs/journal.md. From here on texts are sealed (redactor.hpp): what already looks like a
    // seal is not one.
    R"(UPDATE items SET item = replace(item, '[redacted:', '[redacted:]');
       UPDATE paused_runs SET state = replace(state, '[redacted:', '[redacted:]');
       ALTER TABLE sessions ADD COLUMN owner TEXT NOT NULL DEFAULT '';
       CREATE TABLE processes(
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         started INTEGER NOT NULL);
       CREATE TABLE runs(
         key INTEGER PRIMARY KEY AUTOINCREMENT,
         id TEXT NOT NULL UNIQUE,
         session INTEGER NOT NULL REFERENCES sessions(key),
         process INTEGER NOT NULL,
         owner TEXT NOT NULL,
         status TEXT NOT NULL,
         request TEXT NOT NULL,
         request_sum INTEGER NOT NULL,
         key_hash TEXT NOT NULL,
         first_item INTEGER NOT NULL,
         items INTEGER NOT NULL,
         outcome TEXT NOT NULL,
         outcome_sum INTEGER NOT NULL,
         bytes INTEGER NOT NULL,
         created INTEGER NOT NULL,
         changed INTEGER NOT NULL);
       CREATE INDEX unfinished_runs ON runs(process) WHERE status IN ('waiting', 'running');
       CREATE INDEX finished_runs ON runs(changed) WHERE status IN ('completed', 'failed', 'cancelled');
       CREATE INDEX runs_by_session ON runs(session);
       CREATE TABLE journal(
         run INTEGER NOT NULL REFERENCES runs(key),
         sequence INTEGER NOT NULL,
         record TEXT NOT NULL,
         event INTEGER NOT NULL,
         checksum INTEGER NOT NULL,
         PRIMARY KEY(run, sequence)) WITHOUT ROWID;
       CREATE TABLE run_events(
         run INTEGER NOT NULL REFERENCES runs(key),
         id INTEGER NOT NULL,
         event TEXT NOT NULL,
         checksum INTEGER NOT NULL,
         PRIMARY KEY(run, id)) WITHOUT ROWID;
       CREATE TRIGGER run_erased AFTER DELETE ON runs BEGIN
         DELETE FROM journal WHERE run = OLD.key;
         DELETE FROM run_events WHERE run = OLD.key;
       END;
       CREATE TRIGGER session_runs_erased AFTER DELETE ON sessions BEGIN
         DELETE FROM runs WHERE session = OLD.key;
       END;)",
    // How much room is taken by what is over is kept by triggers, so that it is right whoever writes, a
    // process of the older version included. What such a one writes has no checksum.
    R"(ALTER TABLE items ADD COLUMN checksum INTEGER;
       ALTER TABLE paused_runs ADD COLUMN checksum INTEGER;
       CREATE TABLE damaged_runs(
         run_id TEXT NOT NULL PRIMARY KEY,
         session INTEGER NOT NULL REFERENCES sessions(key),
         state TEXT NOT NULL,
         checksum INTEGER);
       CREATE INDEX damaged_runs_by_session ON damaged_runs(session);
       CREATE TRIGGER damaged_run_erased AFTER DELETE ON runs BEGIN
         DELETE FROM damaged_runs WHERE run_id = OLD.id;
       END;
       CREATE TRIGGER session_damaged_runs_erased AFTER DELETE ON sessions BEGIN
         DELETE FROM damaged_runs WHERE session = OLD.key;
       END;
       CREATE TABLE journal_size(bytes INTEGER NOT NULL);
       INSERT INTO journal_size SELECT coalesce(sum(bytes), 0) FROM runs
         WHERE status IN ('completed', 'failed', 'cancelled');
       CREATE TRIGGER run_sized AFTER UPDATE OF status, bytes ON runs
         WHEN OLD.status IN ('completed', 'failed', 'cancelled')
           OR NEW.status IN ('completed', 'failed', 'cancelled') BEGIN
         UPDATE journal_size SET bytes = bytes
           + iif(NEW.status IN ('completed', 'failed', 'cancelled'), NEW.bytes, 0)
           - iif(OLD.status IN ('completed', 'failed', 'cancelled'), OLD.bytes, 0);
       END;
       CREATE TRIGGER run_unsized AFTER DELETE ON runs
         WHEN OLD.status IN ('completed', 'failed', 'cancelled') BEGIN
         UPDATE journal_size SET bytes = bytes - OLD.bytes;
       END;)",
    // So many records and events a run has; null where that is not known, since a process of an older
    // version, which does not count, may write to it. Its items count from their run's beginning on.
    R"(ALTER TABLE processes ADD COLUMN version INTEGER;
       ALTER TABLE runs ADD COLUMN records INTEGER;
       ALTER TABLE runs ADD COLUMN events INTEGER;
       UPDATE runs SET
         records = (SELECT count(*) FROM journal WHERE run = key),
         events = (SELECT count(*) FROM run_events WHERE run = key),
         items = iif(first_item > 0, (SELECT count(*) FROM items i WHERE i.session = runs.session
           AND i.sequence >= first_item AND i.sequence < min(first_item + runs.items,
             coalesce((SELECT min(n.first_item) FROM runs n WHERE n.session = runs.session
               AND n.key > runs.key AND n.first_item > runs.first_item), first_item + runs.items))), 0)
         WHERE status NOT IN ('waiting', 'running');
       CREATE TRIGGER run_uncounted AFTER UPDATE OF process ON runs
         WHEN NEW.records IS NOT NULL AND (OLD.status = 'paused' OR NEW.process <> OLD.process)
           AND (SELECT version FROM processes WHERE id = NEW.process) IS NULL BEGIN
         UPDATE runs SET records = NULL, events = NULL WHERE key = NEW.key;
       END;)",
};
static_assert(schema_version == migrations.size());

/// Each try loses only to another process that got its switch done; this is more than ever open a file.
constexpr int max_wal_tries = 100;

struct identity {
  std::int64_t owner;
  std::int64_t version;
  std::int64_t has_objects;
};

/// One statement, since another process may be setting up the same file between two.
result<identity> read_identity(database& opened) {
  auto prepared = opened.prepare("SELECT (SELECT application_id FROM pragma_application_id), "
                                 "(SELECT user_version FROM pragma_user_version), "
                                 "EXISTS (SELECT 1 FROM sqlite_schema)");
  if (!prepared)
    return prepared.error();
  auto query = execution{opened, *prepared};
  if (const auto found = query.step(); !found)
    return found.error();
  return identity{query.number(0), query.number(1), query.number(2)};
}

/// What was paused before there were checksums is as good as it can be known to be.
result<void> sum_paused_runs(database& opened) {
  const auto found = opened.prepare("SELECT session, run_id, state FROM paused_runs WHERE checksum IS NULL");
  if (!found)
    return found.error();
  std::vector<std::pair<std::int64_t, std::int64_t>> sums;
  {
    auto rows = execution{opened, *found};
    const auto take = [&]() -> result<void> {
      sums.emplace_back(rows.number(0), sum_of(rows.text(1), paused_place, rows.text(2)));
      return {};
    };
    if (auto read = rows.each(take); !read)
      return read;
  }
  const auto change = opened.prepare("UPDATE paused_runs SET checksum = ?2 WHERE session = ?1");
  if (!change)
    return change.error();
  for (const auto& [session, sum] : sums)
    if (auto changed = execution{opened, *change}.bind(session).bind(sum).finish(); !changed)
      return changed;
  return {};
}

result<void> migrate(database& opened) {
  auto change = transaction::begin(opened);
  if (!change)
    return change.error();
  // Another process may have been faster.
  const auto version = read_version(opened);
  if (!version)
    return version.error();
  for (auto from = *version; from < schema_version; ++from) {
    const auto* script = migrations[static_cast<std::size_t>(from)];
    if (auto changed = opened.execute(script); !changed)
      return changed;
  }
  if (auto summed = sum_paused_runs(opened); !summed)
    return summed;
  const auto marks =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id, schema_version);
  if (auto marked = opened.execute(marks); !marked)
    return marked;
  return change->commit();
}

/// Switches to WAL, in which readers and the writer do not wait for each other; the file stays so.
result<void> use_wal(database& opened) {
  // The switch alone does not heed the busy timeout while another process switches the same file. An
  // exclusive transaction does, so it does the waiting.
  auto set = opened.execute("PRAGMA journal_mode = WAL");
  for (auto tries = 0; !set && opened.is_busy() && tries < max_wal_tries; ++tries) {
    if (auto waited = opened.execute("BEGIN EXCLUSIVE; ROLLBACK"); !waited)
      return waited;
    set = opened.execute("PRAGMA journal_mode = WAL");
  }
  return set;
}

} // namespace

result<std::int64_t> read_version(database& opened) {
  const auto found = read_identity(opened);
  if (!found)
    return found.error();
  const auto [owner, version, has_objects] = *found;
  if (owner == application_id && version > schema_version)
    return opened.failure(fmt::format("made by a newer version of Troupe (schema {}, this one knows {})",
                                      version, schema_version));
  if (owner == application_id && version > 0)
    return version;
  if (owner == 0 && version == 0 && has_objects == 0)
    return std::int64_t{0};
  return opened.failure("a database of another program; name another file");
}

result<void> prepare_schema(database& opened, durability kept) {
  const auto version = read_version(opened);
  if (!version)
    return version.error();
  if (auto set = use_wal(opened); !set)
    return set;
  // FULL also syncs the log at each commit: what append reported as stored outlives a power cut. NORMAL
  // leaves that to checkpoints; a process that dies loses nothing either way.
  const auto level = kept == durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
  if (auto set = opened.execute(level); !set)
    return set;
  if (*version == schema_version)
    return {};
  return migrate(opened);
}

} // namespace troupe::sqlite
