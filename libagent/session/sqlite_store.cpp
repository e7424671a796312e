#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/sqlite_schema.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace troupe {

namespace {

/// How long a call waits for another process's write. A commit takes milliseconds; this covers a slow disk.
constexpr int busy_milliseconds = 5000;

// One statement, so that agent and items are of the same moment.
constexpr std::string_view load_sql =
    "SELECT s.agent, i.item FROM sessions s LEFT JOIN items i ON i.session = s.key "
    "WHERE s.id = ?1 ORDER BY i.sequence";
constexpr std::string_view save_session_sql =
    "INSERT INTO sessions(id, agent, created, updated) VALUES(?1, ?2, unixepoch(), unixepoch()) "
    "ON CONFLICT(id) DO UPDATE SET updated = excluded.updated, "
    "agent = CASE excluded.agent WHEN '' THEN agent ELSE excluded.agent END RETURNING key";
constexpr std::string_view last_sequence_sql =
    "SELECT coalesce(max(sequence), 0) FROM items WHERE session = ?1";
constexpr std::string_view save_item_sql = "INSERT INTO items(session, sequence, item) VALUES(?1, ?2, ?3)";
constexpr std::string_view erase_items_sql =
    "DELETE FROM items WHERE session = (SELECT key FROM sessions WHERE id = ?1)";
constexpr std::string_view erase_session_sql = "DELETE FROM sessions WHERE id = ?1";

struct statements {
  sqlite::statement load;
  sqlite::statement save_session;
  sqlite::statement last_sequence;
  sqlite::statement save_item;
  sqlite::statement erase_items;
  sqlite::statement erase_session;
};

class sqlite_store : public session_store {
public:
  sqlite_store(sqlite::database opened, statements prepared)
      : database_(std::move(opened)), prepared_(std::move(prepared)) {}

  result<std::optional<session_record>> load(std::string_view session_id) override {
    auto rows = sqlite::execution{database_, prepared_.load};
    rows.bind(session_id);
    auto record = std::optional<session_record>{};
    while (true) {
      const auto more = rows.step();
      if (!more)
        return more.error();
      if (!*more)
        return record;
      if (!record)
        record = session_record{std::string{rows.text(0)}, {}};
      if (rows.is_null(1))
        continue;
      auto entry = read_item(rows.text(1));
      if (!entry)
        return database_.failure(
            fmt::format("session \"{}\" holds an item (number {}) that cannot be read: {}", session_id,
                        record->items.size() + 1, entry.error().detail));
      record->items.push_back(std::move(*entry));
    }
  }

  result<void> append(const std::vector<session_append>& batch) override {
    if (batch.empty())
      return {};
    auto change = sqlite::transaction::begin(database_);
    if (!change)
      return change.error();
    for (const auto& added : batch)
      if (auto saved = save(added); !saved)
        return saved;
    return change->commit();
  }

  result<bool> erase(std::string_view session_id) override {
    auto change = sqlite::transaction::begin(database_);
    if (!change)
      return change.error();
    for (const auto* prepared : {&prepared_.erase_items, &prepared_.erase_session}) {
      auto deletion = sqlite::execution{database_, *prepared};
      if (auto done = deletion.bind(session_id).finish(); !done)
        return done.error();
    }
    const auto was_there = database_.changes() > 0;
    if (auto committed = change->commit(); !committed)
      return committed.error();
    return was_there;
  }

private:
  static result<item> read_item(std::string_view text) {
    const auto parsed = parse_json(text);
    if (!parsed)
      return parsed.error();
    return item_from_json(*parsed);
  }

  result<std::int64_t> save_session(const session_append& added) {
    auto query = sqlite::execution{database_, prepared_.save_session};
    query.bind(added.session_id).bind(added.agent);
    const auto found = query.step();
    if (!found)
      return found.error();
    const auto key = query.number(0);
    if (auto done = query.finish(); !done)
      return done.error();
    return key;
  }

  result<std::int64_t> last_sequence(std::int64_t session) {
    auto query = sqlite::execution{database_, prepared_.last_sequence};
    if (const auto found = query.bind(session).step(); !found)
      return found.error();
    return query.number(0);
  }

  result<void> save(const session_append& added) {
    const auto session = save_session(added);
    if (!session)
      return session.error();
    auto sequence = last_sequence(*session);
    if (!sequence)
      return sequence.error();
    for (const auto& entry : added.items) {
      const auto text = dump_json(to_json(entry));
      auto insertion = sqlite::execution{database_, prepared_.save_item};
      if (auto done = insertion.bind(*session).bind(++*sequence).bind(text).finish(); !done)
        return done;
    }
    return {};
  }

  sqlite::database database_;
  statements prepared_;
};

result<statements> prepare_statements(sqlite::database& opened) {
  auto prepared = statements{};
  const std::pair<sqlite::statement*, std::string_view> wanted[] = {
      {&prepared.load, load_sql},
      {&prepared.save_session, save_session_sql},
      {&prepared.last_sequence, last_sequence_sql},
      {&prepared.save_item, save_item_sql},
      {&prepared.erase_items, erase_items_sql},
      {&prepared.erase_session, erase_session_sql},
  };
  for (const auto& [place, sql] : wanted) {
    auto made = opened.prepare(sql);
    if (!made)
      return made.error();
    *place = std::move(*made);
  }
  return prepared;
}

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

result<std::unique_ptr<session_store>> open_sqlite_store(const std::string& path) {
  if (auto checked = check_path(path); !checked)
    return checked.error();
  auto opened = sqlite::database::open(path, busy_milliseconds);
  if (!opened)
    return opened.error();
  if (auto ready = sqlite::prepare_schema(*opened); !ready)
    return ready.error();
  auto prepared = prepare_statements(*opened);
  if (!prepared)
    return prepared.error();
  return std::unique_ptr<session_store>{
      std::make_unique<sqlite_store>(std::move(*opened), std::move(*prepared))};
}

} // namespace troupe
