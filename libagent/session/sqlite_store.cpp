#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/sqlite_schema.hpp"
#include "libagent/session/sqlite_statements.hpp"
#include "libagent/session/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>

namespace troupe {

namespace {

/// How long a call waits for another process's write. A commit takes milliseconds; this covers a slow disk.
constexpr int busy_milliseconds = 5000;

/// SQLite has no larger number; no honest count gets there.
std::int64_t to_stored(std::uint64_t count) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(count, static_cast<std::uint64_t>(largest)));
}

result<item> read_item(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed)
    return parsed.error();
  return item_from_json(*parsed);
}

class sqlite_store : public session_store {
public:
  sqlite_store(sqlite::database opened, sqlite::statements prepared)
      : database_(std::move(opened)), prepared_(std::move(prepared)) {}

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
    if (auto read = load_items(session_id, key, record.items); !read)
      return read.error();
    if (auto read = load_rest(key, record); !read)
      return read.error();
    return std::optional{std::move(record)};
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
    return database_.changes() > 0;
  }

private:
  /// Hands each row of a statement about one session to `take(row)`, until that returns an error.
  template <class Take>
  result<void> each(const sqlite::statement& prepared, std::int64_t session, Take take) {
    auto rows = sqlite::execution{database_, prepared};
    rows.bind(session);
    while (true) {
      const auto more = rows.step();
      if (!more)
        return more.error();
      if (!*more)
        return {};
      if (result<void> taken = take(rows); !taken)
        return taken;
    }
  }

  result<void> load_items(std::string_view session_id, std::int64_t session, item_list& items) {
    return each(prepared_.load_items, session, [&](const sqlite::execution& row) -> result<void> {
      auto entry = read_item(row.text(0));
      if (!entry)
        return database_.failure(
            fmt::format("session \"{}\" holds an item (number {}) that cannot be read: {}", session_id,
                        items.size() + 1, entry.error().detail));
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
      record.paused = paused_run{std::string{row.text(0)}, std::string{row.text(1)}};
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
      if (auto done = run(prepared_.unpause, added.session_id); !done)
        return done;
    if (!added.has_something_to_keep())
      return {};
    const auto session = save_session(added);
    if (!session)
      return session.error();
    if (auto saved = save_items(*session, added.items); !saved)
      return saved;
    return save_rest(*session, added);
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

  result<void> save_items(std::int64_t session, const item_list& items) {
    if (items.empty())
      return {};
    auto sequence = last_sequence(session);
    if (!sequence)
      return sequence.error();
    for (const auto& entry : items) {
      const auto text = dump_json(to_json(entry));
      if (auto done = run(prepared_.save_item, session, ++*sequence, text); !done)
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
      return run(prepared_.pause, session, added.paused->run_id, added.paused->state);
    return {};
  }

  sqlite::database database_;
  sqlite::statements prepared_;
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

result<std::unique_ptr<session_store>> open_sqlite_store(const std::string& path) {
  if (auto checked = check_path(path); !checked)
    return checked.error();
  auto opened = sqlite::database::open(path, busy_milliseconds);
  if (!opened)
    return opened.error();
  if (auto ready = sqlite::prepare_schema(*opened); !ready)
    return ready.error();
  auto prepared = sqlite::prepare_statements(*opened);
  if (!prepared)
    return prepared.error();
  return std::unique_ptr<session_store>{
      std::make_unique<sqlite_store>(std::move(*opened), std::move(*prepared))};
}

} // namespace troupe
