#include "libagent/session/sqlite_store.hpp"
#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/sqlite_journal.hpp"
#include "libagent/session/sqlite_schema.hpp"
#include "libagent/session/sqlite_sessions.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace troupe {

namespace {

class sqlite_store : public session_store {
public:
  sqlite_store(std::shared_ptr<sqlite::database> opened, sqlite::sessions sessions,
               std::optional<sqlite::journal> journal)
      : opened_(std::move(opened)), database_(*opened_), sessions_(std::move(sessions)),
        journal_(std::move(journal)) {}

  result<std::optional<session_record>> load(std::string_view session_id) override {
    return sessions_.load(session_id);
  }

  result<void> append(const std::vector<session_append>& batch) override {
    if (batch.empty())
      return {};
    auto written = write(batch);
    // What it took for known may have been rolled back.
    if (!written && journal_)
      journal_->forget();
    return written;
  }

  result<std::optional<std::string>> session_of(std::string_view run_id) override {
    return sessions_.session_of(run_id);
  }

  result<bool> erase(std::string_view session_id) override {
    auto was_there = sessions_.erase(session_id);
    if (was_there && journal_)
      journal_->forget();
    return was_there;
  }

  bool has_journal() const noexcept override { return journal_.has_value(); }

  result<std::optional<stored_run>> load_run(std::string_view run_id) override {
    if (!journal_)
      return std::optional<stored_run>{};
    // What it has lost shows only where all is of one moment.
    auto moment = sqlite::transaction::begin_to_read(database_);
    if (!moment)
      return moment.error();
    auto found = journal_->load(run_id);
    if (!found)
      return found.error();
    if (!*found)
      return std::optional<stored_run>{};
    auto& [run, items] = **found;
    // One that waits has nothing yet.
    if (items.first > 0)
      if (auto read = sessions_.load_items(items, run); !read)
        return read.error();
    return std::optional{std::move(run)};
  }

  result<std::optional<run_head>> load_head(std::string_view run_id) override {
    return journal_ ? journal_->load_head(run_id) : std::optional<run_head>{};
  }

  result<std::optional<paused_run>> load_paused(std::string_view run_id) override {
    return sessions_.load_paused(run_id);
  }

  result<std::vector<orphaned_run>> adopt_runs(const orphan_filter& wanted) override {
    return journal_ ? journal_->adopt(wanted) : std::vector<orphaned_run>{};
  }

  result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                events_bound most) override {
    return journal_ ? journal_->load_events(run_id, last, most) : std::vector<stored_event>{};
  }

  result<bool> purge(const retention& kept) override {
    if (!journal_)
      return false;
    auto change = sqlite::transaction::begin(database_);
    if (!change)
      return change.error();
    const auto more = journal_->purge(kept);
    if (!more)
      return more;
    if (auto committed = change->commit(); !committed)
      return committed.error();
    return more;
  }

  result<void> sync() override { return database_.execute("PRAGMA wal_checkpoint(PASSIVE)"); }

private:
  result<void> write(const std::vector<session_append>& batch) {
    auto change = sqlite::transaction::begin(database_);
    if (!change)
      return change.error();
    for (const auto& added : batch)
      if (auto saved = save(added); !saved)
        return saved;
    return change->commit();
  }

  result<void> save(const session_append& added) {
    if (added.unpauses && !added.paused)
      if (auto done = sessions_.unpause(added); !done)
        return done;
    const bool keeps = added.has_something_to_keep();
    std::int64_t session = 0;
    if (keeps) {
      const auto saved = sessions_.save(added);
      if (!saved)
        return saved.error();
      session = *saved;
    }
    std::int64_t last_item = not_known;
    const bool concerns_items = !added.items.empty() || added.takes_back > 0 ||
                                (journal_ && added.run && (added.run->begins || added.run->ended));
    if (concerns_items)
      if (auto found = find_end(added, session, last_item); !found)
        return found;
    // Where the run's items begin is where the session ends now.
    if (journal_ && added.run)
      if (auto begun = journal_->begin(*added.run, session, last_item, added.items.size()); !begun)
        return begun;
    if (auto saved = sessions_.save_items(session, added, last_item); !saved)
      return saved;
    if (keeps)
      if (auto saved = sessions_.save_rest(session, added); !saved)
        return saved;
    return journal_ && added.run ? journal_->change(*added.run, last_item) : result<void>();
  }

  /// The key of a session, where it is not known, and the sequence of its last item; neither if there is
  /// none.
  result<void> find_end(const session_append& added, std::int64_t& session, std::int64_t& last_item) {
    if (session == 0) {
      const auto found = sessions_.find(added.session_id);
      if (!found)
        return found.error();
      if (!*found)
        return {};
      session = **found;
    }
    const auto last = sessions_.last_sequence(session);
    if (!last)
      return last.error();
    last_item = *last;
    return {};
  }

  /// Which item is a session's last.
  static constexpr std::int64_t not_known = -1;

  std::shared_ptr<sqlite::database> opened_;
  sqlite::database& database_;
  sqlite::sessions sessions_;
  std::optional<sqlite::journal> journal_;
};

/// What SQLite would only call "unable to open database file".
result<void> check_path(const std::string& path) {
  const auto folder = std::filesystem::path{path}.parent_path();
  auto ignored = std::error_code{};
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
    return fail(errc::store_failed,
                fmt::format("session database \"{}\": there is no folder \"{}\"", path, folder.string()));
  if (std::filesystem::is_directory(path, ignored))
    return fail(errc::store_failed,
                fmt::format("session database \"{}\": this is a folder, not a file", path));
  return {};
}

/// Says it where what SQLite has found wrong is in the file.
error not_usable(const sqlite::database& opened, error reason) {
  if (reason.code == errc::store_failed && opened.is_damaged())
    reason.detail += " (the file is damaged: docs/journal.md#damage)";
  return reason;
}

} // namespace

result<std::unique_ptr<session_store>> open_sqlite_store(const std::string& path, durability kept,
                                                         std::shared_ptr<process_seat> seat) {
  if (auto checked = check_path(path); !checked)
    return checked.error();
  auto opened = sqlite::database::open(path, sqlite::busy_milliseconds);
  if (!opened)
    return opened.error();
  auto database = std::make_unique<sqlite::database>(std::move(*opened));
  if (auto ready = sqlite::prepare_schema(*database, kept); !ready)
    return not_usable(*database, ready.error());
  auto sessions = sqlite::sessions::open(*database);
  if (!sessions)
    return not_usable(*database, sessions.error());
  std::optional<sqlite::journal> journal;
  if (kept != durability::off) {
    if (!seat)
      seat = std::make_shared<process_seat>();
    auto made = sqlite::journal::open(*database, path, std::move(seat));
    if (!made)
      return not_usable(*database, made.error());
    journal = std::move(*made);
  }
  database->hide_path();
  return std::unique_ptr<session_store>{
      std::make_unique<sqlite_store>(std::move(database), std::move(*sessions), std::move(journal))};
}

result<std::unique_ptr<session_store>> sqlite::store_to_read(std::shared_ptr<database> opened,
                                                             std::string& damage) {
  auto kept = sessions::open(*opened, &damage);
  if (!kept)
    return kept.error();
  auto runs = journal::open_to_read(*opened, &damage);
  if (!runs)
    return runs.error();
  return std::unique_ptr<session_store>{
      std::make_unique<sqlite_store>(std::move(opened), std::move(*kept), std::move(*runs))};
}

} // namespace troupe
