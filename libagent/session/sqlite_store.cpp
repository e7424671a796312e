#include "libagent/session/sqlite_store.hpp"
#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/sqlite_journal.hpp"
#include "libagent/session/sqlite_schema.hpp"
#include "libagent/session/sqlite_statements.hpp"
#include "libagent/session/sqlite_sums.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>

namespace troupe {

namespace {

/// SQLite has no larger number; no honest count gets there.
std::int64_t to_stored(std::uint64_t count) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(count, static_cast<std::uint64_t>(largest)));
}

/// From its text, its sequence and its checksum.
result<item> read_item(const sqlite::execution& row, std::string_view session_id) {
  if (!sqlite::fits(row.number(2), session_id, row.number(1), row.text(0)))
    return fail(errc::store_failed, "it is damaged: its checksum does not fit");
  const auto parsed = parse_json(row.text(0));
  if (!parsed)
    return parsed.error();
  return item_from_json(*parsed);
}

paused_run paused_from(std::string_view run_id, std::string_view state, std::int64_t sum) {
  return {std::string(run_id), std::string(state), !sqlite::fits(sum, run_id, sqlite::paused_place, state)};
}

class sqlite_store : public session_store {
public:
  sqlite_store(std::shared_ptr<sqlite::database> opened, sqlite::statements prepared,
               std::optional<sqlite::journal> journal)
      : opened_(std::move(opened)), database_(*opened_), prepared_(std::move(prepared)),
        journal_(std::move(journal)) {}

  result<std::optional<session_record>> load(std::string_view session_id) override {
    // Under way until the end, so that all that is read meanwhile is of the moment of its first step.
    auto session = sqlite::execution{database_, prepared_.find_session};
    const auto found = session.bind(session_id).step();
    if (!found)
      return found.error();
    if (!*found)
      return std::optional<session_record>{};
    const auto key = session.number(0);
    auto record = session_record{};
    record.agent = session.text(1);
    record.owner = session.text(2);
    if (auto read = load_items(session_id, key, record.items); !read)
      return read.error();
    if (auto read = load_rest(key, record); !read)
      return read.error();
    return std::optional{std::move(record)};
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
    auto query = sqlite::execution{database_, prepared_.session_of};
    const auto found = query.bind(run_id).step();
    if (!found)
      return found.error();
    return *found ? std::optional{std::string{query.text(0)}} : std::nullopt;
  }

  result<bool> erase(std::string_view session_id) override {
    auto deletion = sqlite::execution{database_, prepared_.erase_session};
    if (auto done = deletion.bind(session_id).finish(); !done)
      return done.error();
    const bool was_there = database_.changes() > 0;
    if (journal_)
      journal_->forget();
    return was_there;
  }

  bool has_journal() const noexcept override { return journal_.has_value(); }

  result<std::optional<stored_run>> load_run(std::string_view run_id) override {
    if (!journal_)
      return std::optional<stored_run>{};
    auto found = journal_->load(run_id);
    if (!found)
      return found.error();
    if (!*found)
      return std::optional<stored_run>{};
    auto& run = (*found)->run;
    // One that waits has nothing yet.
    if ((*found)->first_item > 0)
      if (auto read = load_items_of(**found, run.items); !read)
        return read.error();
    return std::optional{std::move(run)};
  }

  result<std::optional<run_head>> load_head(std::string_view run_id) override {
    return journal_ ? journal_->load_head(run_id) : std::optional<run_head>{};
  }

  result<std::optional<paused_run>> load_paused(std::string_view run_id) override {
    auto query = sqlite::execution{database_, prepared_.load_paused_of};
    const auto found = query.bind(run_id).step();
    if (!found)
      return found.error();
    return *found ? std::optional(paused_from(run_id, query.text(0), query.number(1))) : std::nullopt;
  }

  result<std::vector<orphaned_run>> adopt_runs(const orphan_filter& wanted) override {
    return journal_ ? journal_->adopt(wanted) : std::vector<orphaned_run>{};
  }

  result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                events_bound most) override {
    return journal_ ? journal_->load_events(run_id, last, most) : std::vector<stored_event>{};
  }

  result<std::vector<std::string>> run_ids() override { return texts("SELECT id FROM runs ORDER BY key"); }

  result<std::vector<std::string>> session_ids() override {
    return texts("SELECT id FROM sessions ORDER BY key");
  }

  result<std::vector<std::string>> check_file() override {
    auto found = texts("PRAGMA integrity_check");
    if (found && *found == std::vector<std::string>{"ok"})
      found->clear();
    return found;
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

  /// Hands each row of a statement about one session to `take(row)`, until that returns an error.
  template <class Take>
  result<void> each(const sqlite::statement& prepared, std::int64_t session, Take take) {
    auto rows = sqlite::execution{database_, prepared};
    return rows.bind(session).each([&] { return take(rows); });
  }

  result<void> load_items(std::string_view session_id, std::int64_t session, item_list& items) {
    return each(prepared_.load_items, session, [&](const sqlite::execution& row) -> result<void> {
      auto entry = read_item(row, session_id);
      if (!entry)
        return database_.failure(
            fmt::format("session \"{}\" holds an item (number {}) that cannot be read: {}", session_id,
                        items.size() + 1, entry.error().detail));
      items.push_back(std::move(*entry));
      return {};
    });
  }

  /// The first column of all rows.
  result<std::vector<std::string>> texts(std::string_view sql) {
    auto prepared = database_.prepare(sql);
    if (!prepared)
      return prepared.error();
    auto rows = sqlite::execution{database_, *prepared};
    std::vector<std::string> all;
    const auto take = [&]() -> result<void> {
      all.emplace_back(rows.text(0));
      return {};
    };
    if (auto read = rows.each(take); !read)
      return read.error();
    return all;
  }

  result<void> load_items_of(const sqlite::journal::found_run& found, item_list& items) {
    auto rows = sqlite::execution{database_, prepared_.load_items_from};
    rows.bind(found.session).bind(found.first_item).bind(found.items);
    return rows.each([&]() -> result<void> {
      auto entry = read_item(rows, found.run.session_id);
      if (!entry)
        return database_.failure(fmt::format("run \"{}\" has an item (number {}) that cannot be read: {}",
                                             found.run.run_id, items.size() + 1, entry.error().detail));
      items.push_back(std::move(*entry));
      return {};
    });
  }

  result<void> load_rest(std::int64_t session, session_record& record) {
    const auto take_usage = [&](const sqlite::execution& row) -> result<void> {
      const auto count = [&](int column) { return static_cast<std::uint64_t>(row.number(column)); };
      record.used.add(row.text(0), row.text(1), {count(2), count(3), count(4), count(5), count(6), count(7)});
      return {};
    };
    const auto take_approval = [&](const sqlite::execution& row) -> result<void> {
      record.approved.emplace(row.text(0), row.text(1));
      return {};
    };
    const auto take_paused = [&](const sqlite::execution& row) -> result<void> {
      record.paused = paused_from(row.text(0), row.text(1), row.number(2));
      return {};
    };
    if (auto read = each(prepared_.load_usage, session, take_usage); !read)
      return read;
    if (auto read = each(prepared_.load_approvals, session, take_approval); !read)
      return read;
    return each(prepared_.load_paused, session, take_paused);
  }

  /// Runs a statement that gives nothing back.
  template <class... Values>
  result<void> run(const sqlite::statement& prepared, const Values&... values) {
    auto execution = sqlite::execution{database_, prepared};
    (execution.bind(values), ...);
    return execution.finish();
  }

  result<void> save(const session_append& added) {
    if (added.unpauses && !added.paused)
      if (auto done = unpause(added); !done)
        return done;
    const bool keeps = added.has_something_to_keep();
    std::int64_t session = 0;
    std::int64_t last_item = 0;
    if (keeps) {
      const auto saved = save_session(added);
      if (!saved)
        return saved.error();
      session = *saved;
    }
    const bool concerns_items = !added.items.empty() || added.takes_back > 0 ||
                                (journal_ && added.run && (added.run->begins || added.run->ended));
    if (concerns_items) {
      const auto last = last_sequence(added, session);
      if (!last)
        return last.error();
      last_item = *last;
    }
    // Where the run's items begin is where the session ends now.
    if (journal_ && added.run)
      if (auto begun = journal_->begin(*added.run, session, last_item); !begun)
        return begun;
    if (auto saved = save_items(session, added, last_item); !saved)
      return saved;
    if (keeps)
      if (auto saved = save_rest(session, added); !saved)
        return saved;
    return journal_ && added.run ? journal_->change(*added.run, last_item) : result<void>();
  }

  result<void> unpause(const session_append& added) {
    if (added.run && added.run->ended && added.run->ended->keeps_records)
      if (auto done = run(prepared_.put_by, added.session_id); !done)
        return done;
    return run(prepared_.unpause, added.session_id);
  }

  result<std::int64_t> save_session(const session_append& added) {
    auto query = sqlite::execution{database_, prepared_.save_session};
    query.bind(added.session_id).bind(added.agent).bind(added.owner);
    const auto found = query.step();
    if (!found)
      return found.error();
    const auto key = query.number(0);
    if (auto done = query.finish(); !done)
      return done.error();
    return key;
  }

  /// 0 for a session without items.
  result<std::int64_t> last_sequence(const session_append& added, std::int64_t& session) {
    if (session == 0) {
      auto known = sqlite::execution{database_, prepared_.find_session};
      const auto found = known.bind(added.session_id).step();
      if (!found || !*found)
        return found ? result<std::int64_t>(0) : found.error();
      session = known.number(0);
    }
    auto query = sqlite::execution{database_, prepared_.last_sequence};
    if (const auto found = query.bind(session).step(); !found)
      return found.error();
    return query.number(0);
  }

  /// `last` is the sequence of the session's last item, before and after.
  result<void> save_items(std::int64_t session, const session_append& added, std::int64_t& last) {
    if (added.takes_back > 0) {
      last = std::max<std::int64_t>(last - static_cast<std::int64_t>(added.takes_back), 0);
      if (auto done = run(prepared_.take_back, session, last); !done)
        return done;
    }
    for (const auto& entry : added.items) {
      const auto text = dump_json(to_json(entry));
      ++last;
      if (auto done =
              run(prepared_.save_item, session, last, text, sqlite::sum_of(added.session_id, last, text));
          !done)
        return done;
    }
    return {};
  }

  result<void> save_rest(std::int64_t session, const session_append& added) {
    for (const auto& [agent, model, used] : added.used.shares())
      if (auto done =
              run(prepared_.add_usage, session, agent, model, to_stored(used.requests),
                  to_stored(used.input_tokens), to_stored(used.output_tokens), to_stored(used.cached_tokens),
                  to_stored(used.reasoning_tokens), to_stored(used.tool_calls));
          !done)
        return done;
    for (const auto& [agent, tool] : added.approved)
      if (auto done = run(prepared_.approve, session, agent, tool); !done)
        return done;
    if (added.paused)
      return run(prepared_.pause, session, added.paused->run_id, added.paused->state,
                 sqlite::sum_of(added.paused->run_id, sqlite::paused_place, added.paused->state));
    return {};
  }

  std::shared_ptr<sqlite::database> opened_;
  sqlite::database& database_;
  sqlite::statements prepared_;
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
    return ready.error();
  auto prepared = sqlite::prepare_statements(*database);
  if (!prepared)
    return prepared.error();
  std::optional<sqlite::journal> journal;
  if (kept != durability::off) {
    if (!seat)
      seat = std::make_shared<process_seat>();
    auto made = sqlite::journal::open(*database, path, std::move(seat));
    if (!made)
      return made.error();
    journal = std::move(*made);
  }
  database->hide_path();
  return std::unique_ptr<session_store>{
      std::make_unique<sqlite_store>(std::move(database), std::move(*prepared), std::move(journal))};
}

result<std::unique_ptr<session_store>> sqlite::store_to_read(std::shared_ptr<database> opened) {
  auto prepared = prepare_statements(*opened);
  if (!prepared)
    return prepared.error();
  auto runs = journal::open_to_read(*opened);
  if (!runs)
    return runs.error();
  return std::unique_ptr<session_store>{
      std::make_unique<sqlite_store>(std::move(opened), std::move(*prepared), std::move(*runs))};
}

} // namespace troupe
