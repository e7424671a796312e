#include "libagent/session/sqlite_salvage.hpp"

#include "libagent/session/sqlite_sums.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace troupe::sqlite {

namespace {

constexpr auto damaged_page = "a page of the file is damaged";

/// Hands each row of a query to `take(row)`. Why it ended early; empty if it came to its end.
template <class Take, class... Values>
std::string read_rows(database& from, const std::string& sql, Take take, const Values&... values) {
  const auto prepared = from.prepare(sql);
  if (!prepared) {
    auto words = words_of(from, prepared.error());
    return from.code() == SQLITE_ERROR ? "its list of tables is damaged: " + words : words;
  }
  auto rows = execution{from, *prepared};
  (rows.bind(values), ...);
  const auto read = rows.each([&]() -> result<void> {
    take(rows);
    return {};
  });
  return read ? std::string() : words_of(from, read.error());
}

/// The same with a query in an order: where that is cut short, also from its other end.
template <class Take, class... Values>
std::string read_from_both_ends(database& from, const std::string& sql, Take take, const Values&... values) {
  auto gap = read_rows(from, sql, take, values...);
  if (!gap.empty())
    read_rows(from, sql + " DESC", take, values...);
  return gap;
}

/// Of a table with `key` and `id`. Of the two the index may know what the table cannot tell, and the other
/// way round; where they do not agree, both are given.
found_ids ids_of(database& from, const std::string& table) {
  std::set<std::pair<std::int64_t, std::string>> found;
  const auto read = [&](const std::string& sql) {
    bool has_unread = false;
    auto gap = read_from_both_ends(from, sql, [&](const execution& row) {
      // What a page held that is not there any more; none is empty.
      if (row.text(1).empty())
        has_unread = true;
      else
        found.emplace(row.number(0), std::string(row.text(1)));
    });
    return gap.empty() && has_unread ? std::string(damaged_page) : gap;
  };
  auto gap = read(fmt::format("SELECT key, id FROM {} NOT INDEXED ORDER BY key", table));
  const auto other = read(fmt::format("SELECT key, id FROM {} ORDER BY id", table));
  // What one lacks the other has as long as it is whole.
  found_ids made{{}, gap.empty() || other.empty() ? std::string() : std::move(gap)};
  std::set<std::string_view> known;
  for (const auto& [key, id] : found)
    if (known.insert(id).second)
      made.ids.push_back(id);
  return made;
}

/// "3", "3 to 5, 9".
std::string ranges_of(const std::set<std::int64_t>& numbers) {
  std::string text;
  for (auto each = numbers.begin(); each != numbers.end();) {
    const auto first = *each;
    auto last = first;
    while (++each != numbers.end() && *each == last + 1)
      last = *each;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", first);
    if (last > first)
      text += fmt::format(" to {}", last);
  }
  return text;
}

/// Reads one run.
class salvager {
public:
  salvager(database& from, const std::string& run_id, std::int64_t key) : from_(from), key_(key) {
    made_.run.run_id = run_id;
  }

  run_remains take() {
    read_row();
    read_text("request", request_place, made_.run.request);
    read_text("outcome", outcome_place, made_.run.outcome);
    read_records();
    read_events();
    if (session_ != 0)
      read_items();
    return std::move(made_);
  }

private:
  template <class... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    made_.damage.push_back(fmt::format(text, std::forward<Values>(values)...));
  }

  void read_row() {
    bool is_there = false;
    const auto take = [&](const execution& row) {
      is_there = true;
      session_ = row.number(0);
      made_.run.owner = row.text(1);
      made_.run.status = row.text(2);
      made_.run.key_hash = row.text(3);
      first_item_ = row.number(4);
      items_ = row.number(5);
      counted_records_ = row.number(6);
      counted_events_ = row.number(7);
    };
    auto gap = read_rows(from_,
                         "SELECT session, owner, status, key_hash, first_item, items, coalesce(records, -1), "
                         "coalesce(events, -1) FROM runs WHERE key = ?1",
                         take, key_);
    if (gap.empty() && !is_there)
      gap = damaged_page;
    if (!gap.empty())
      note("how it stands cannot be read: {}", gap);
    if (session_ == 0)
      return;
    const auto session = read_rows(
        from_, "SELECT id FROM sessions WHERE key = ?1",
        [this](const execution& row) { made_.run.session_id = row.text(0); }, session_);
    if (made_.run.session_id.empty())
      note("which session is its own cannot be read{}{}", session.empty() ? "" : ": ", session);
  }

  void read_text(const char* name, std::int64_t place, std::string& into) {
    const auto take = [&](const execution& row) {
      into = row.text(0);
      if (into.empty() || row.number(1) == sum_of(made_.run.run_id, place, into))
        return;
      note("its {} is damaged: its checksum does not fit", name);
      made_.is_request_damaged |= place == request_place;
    };
    const auto gap =
        read_rows(from_, fmt::format("SELECT {0}, {0}_sum FROM runs WHERE key = ?1", name), take, key_);
    // Where the row cannot be read, that has been said.
    if (gap.empty() || session_ == 0)
      return;
    note("its {} cannot be read: {}", name, gap);
    made_.is_request_damaged |= place == request_place;
  }

  /// Hands to `take(number, row)` each text that `one` reads by a number that `list` has found; both are of
  /// the owner `key`. The checksum is the row's second column. Says what is missing or does not fit.
  template <class Take, class... Values>
  std::set<std::int64_t> read_each(std::string_view what, const std::string& list, const std::string& one,
                                   std::string_view owner, std::int64_t key, Take take,
                                   const Values&... values) {
    std::set<std::int64_t> numbers;
    const auto gap = read_from_both_ends(
        from_, list, [&](const execution& row) { numbers.insert(row.number(0)); }, key, values...);
    std::set<std::int64_t> unread;
    std::set<std::int64_t> unfit;
    std::string reason;
    for (const auto number : numbers) {
      bool is_there = false;
      const auto taken = [&](const execution& row) {
        is_there = true;
        if (!fits(row.number(1), owner, number, row.text(0)))
          unfit.insert(number);
        take(number, row);
      };
      const auto why = read_rows(from_, one, taken, key, number);
      if (is_there)
        continue;
      unread.insert(number);
      reason = why.empty() ? damaged_page : why;
    }
    if (!gap.empty())
      note("some of its {} may be missing: {}", what, gap);
    if (!unread.empty())
      note("of its {} {} cannot be read: {}", what, ranges_of(unread), reason);
    if (!unfit.empty())
      note("of its {} {} damaged, checksums do not fit: {}", what, unfit.size() == 1 ? "one is" : "some are",
           ranges_of(unfit));
    return numbers;
  }

  void read_records() {
    auto& records = made_.run.records;
    std::map<std::int64_t, std::string> found;
    const auto numbers =
        read_each("records", "SELECT sequence FROM journal WHERE run = ?1 ORDER BY sequence",
                  "SELECT record, checksum FROM journal WHERE run = ?1 AND sequence = ?2", made_.run.run_id,
                  key_, [&](std::int64_t number, const execution& row) { found[number] = row.text(0); });
    // A number that is damaged itself may be anything.
    const auto most = static_cast<std::int64_t>(numbers.size()) + most_missing;
    for (auto& [number, text] : found) {
      if (number < 1 || number > most)
        continue;
      records.resize(std::max(records.size(), static_cast<std::size_t>(number)));
      records[static_cast<std::size_t>(number - 1)] = std::move(text);
    }
    note_missing("records", numbers, 1,
                 std::max(static_cast<std::int64_t>(records.size()), counted_records_));
  }

  /// All from `first` to `last` are to be among the numbers. Names no more than `most_missing` past them.
  void note_missing(std::string_view what, const std::set<std::int64_t>& numbers, std::int64_t first,
                    std::int64_t last) {
    std::set<std::int64_t> missing;
    const auto most = static_cast<std::int64_t>(numbers.size()) + most_missing;
    for (std::int64_t i = 0; i < most && i <= last - first; ++i)
      if (!numbers.contains(first + i))
        missing.insert(first + i);
    if (!missing.empty())
      note("of its {} {} missing: {}", what, missing.size() == 1 ? "one is" : "some are", ranges_of(missing));
  }

  void read_events() {
    const auto numbers =
        read_each("events", "SELECT id FROM run_events WHERE run = ?1 ORDER BY id",
                  "SELECT event, checksum FROM run_events WHERE run = ?1 AND id = ?2", made_.run.run_id, key_,
                  [this](std::int64_t number, const execution& row) {
                    made_.events.push_back({static_cast<std::uint64_t>(number), std::string(row.text(0))});
                  });
    const auto there = static_cast<std::int64_t>(numbers.size());
    if (there < counted_events_)
      note("of its {} events {} are missing", counted_events_, counted_events_ - there);
  }

  /// The sequence of its item of that number.
  std::int64_t last_of(std::int64_t items) const {
    return first_item_ - 1 + std::min(items, all - first_item_);
  }

  /// One past the last of its items, those of the session from `first_item_` on.
  std::int64_t end_of_items() {
    std::int64_t next = all;
    const auto gap = read_rows(
        from_,
        "SELECT coalesce(min(first_item), ?4) FROM runs WHERE session = ?1 AND key > ?2 AND first_item > ?3",
        [&](const execution& row) { next = row.number(0); }, session_, key_, first_item_, all);
    if (!gap.empty())
      note("which of its session's items are another run's cannot be told: {}", gap);
    return made_.run.is_over() ? std::min(next, last_of(items_) + 1) : next;
  }

  void read_items() {
    if (first_item_ <= 0)
      return;
    std::set<std::int64_t> unreadable;
    const auto take = [&](std::int64_t number, const execution& row) {
      const auto parsed = parse_json(row.text(0));
      auto made = parsed ? item_from_json(*parsed) : result<item>(parsed.error());
      if (made)
        made_.run.items.push_back(std::move(*made));
      else
        unreadable.insert(number);
    };
    const auto numbers =
        read_each("session's items",
                  "SELECT sequence FROM items WHERE session = ?1 AND sequence >= ?2 AND sequence < ?3 "
                  "ORDER BY sequence",
                  "SELECT item, coalesce(checksum, -1) FROM items WHERE session = ?1 AND sequence = ?2",
                  made_.run.session_id, session_, take, first_item_, end_of_items());
    if (!unreadable.empty())
      note("of its session's items {} cannot be understood", ranges_of(unreadable));
    // Which are its own is not known; that has been said.
    if (made_.run.session_id.empty())
      return;
    // Where they are not counted, only a gap among them shows.
    const auto last = numbers.empty() ? first_item_ - 1 : *numbers.rbegin();
    const auto counted = counted_records_ < 0 ? first_item_ - 1 : last_of(items_);
    note_missing("session's items", numbers, first_item_, std::max(last, counted));
  }

  static constexpr auto all = std::numeric_limits<std::int64_t>::max();
  /// A damaged number is not to take all memory.
  static constexpr std::int64_t most_missing = 1000;

  database& from_;
  std::int64_t key_;
  /// 0 while it is not known.
  std::int64_t session_ = 0;
  std::int64_t first_item_ = 0;
  std::int64_t items_ = 0;
  /// Negative where it is not known.
  std::int64_t counted_records_ = -1;
  std::int64_t counted_events_ = -1;
  run_remains made_;
};

} // namespace

found_ids salvage_runs(database& from) {
  return ids_of(from, "runs");
}

found_ids salvage_sessions(database& from) {
  return ids_of(from, "sessions");
}

result<std::optional<run_remains>> salvage_run(database& from, const std::string& run_id) {
  std::optional<std::int64_t> key;
  const auto take = [&](const execution& row) { key = row.number(0); };
  const auto indexed = read_rows(from, "SELECT key FROM runs WHERE id = ?1", take, run_id);
  const bool is_in_index = key.has_value();
  std::string scanned;
  if (!key)
    scanned = read_from_both_ends(from, "SELECT key FROM runs NOT INDEXED WHERE id = ?1 ORDER BY key", take,
                                  run_id);
  if (!key && (!indexed.empty() || !scanned.empty()))
    return from.failure(fmt::format("whether there is a run \"{}\" cannot be told: {}", run_id,
                                    indexed.empty() ? scanned : indexed));
  if (!key)
    return std::optional<run_remains>{};
  auto made = salvager{from, run_id, *key}.take();
  if (!is_in_index)
    made.damage.insert(made.damage.begin(), "it cannot be found by its id: the index of runs is damaged");
  return std::optional{std::move(made)};
}

std::vector<std::string> check_pages(database& from) {
  std::vector<std::string> found;
  const auto take = [&](const execution& row) { found.emplace_back(row.text(0)); };
  if (auto gap = read_rows(from, "PRAGMA integrity_check", take); !gap.empty())
    found.push_back(std::move(gap));
  if (found == std::vector<std::string>{"ok"})
    found.clear();
  return found;
}

std::string words_of(const database& from, const error& reason) {
  const auto name = from.failure("").detail;
  const auto words = reason.detail.starts_with(name) ? reason.detail.substr(name.size()) : reason.detail;
  // As SQLite says it, it is the whole file.
  return words == sqlite3_errstr(SQLITE_CORRUPT) ? damaged_page : words;
}

} // namespace troupe::sqlite
