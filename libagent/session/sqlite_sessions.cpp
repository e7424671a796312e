#include "libagent/session/sqlite_sessions.hpp"

#include "libagent/session/sqlite_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace troupe::sqlite {

namespace {

/// SQLite has no larger number; no honest count gets there.
std::int64_t to_stored(std::uint64_t count) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(count, static_cast<std::uint64_t>(largest)));
}

/// From its text, its sequence, which is to be this one, and its checksum.
result<item> read_item(const execution& row, std::string_view session_id, std::int64_t sequence) {
  if (!fits(row.number(2), session_id, row.number(1), row.text(0)))
    return fail(errc::store_failed, "it is damaged: its checksum does not fit");
  if (row.number(1) != sequence)
    return fail(errc::store_failed, "it is missing");
  const auto parsed = parse_json(row.text(0));
  if (!parsed)
    return parsed.error();
  return item_from_json(*parsed);
}

paused_run paused_from(std::string_view run_id, std::string_view state, std::int64_t sum) {
  return {std::string(run_id), std::string(state), !fits(sum, run_id, paused_place, state)};
}

} // namespace

result<sessions> sessions::open(database& owner, std::string* damage) {
  auto prepared = prepare_statements(owner, damage);
  if (!prepared)
    return prepared.error();
  return sessions{owner, std::move(*prepared)};
}

template <class Take>
result<void> sessions::each(const statement& prepared, std::int64_t session, Take take) {
  auto rows = execution{*database_, prepared};
  return rows.bind(session).each([&] { return take(rows); });
}

template <class... Values>
result<void> sessions::run(const statement& prepared, const Values&... values) {
  auto one = execution{*database_, prepared};
  (one.bind(values), ...);
  return one.finish();
}

result<std::optional<session_record>> sessions::load(std::string_view session_id) {
  // Under way until the end, so that all that is read meanwhile is of the moment of its first step.
  auto session = execution{*database_, prepared_.find_session};
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

result<std::optional<std::string>> sessions::session_of(std::string_view run_id) {
  auto query = execution{*database_, prepared_.session_of};
  const auto found = query.bind(run_id).step();
  if (!found)
    return found.error();
  return *found ? std::optional{std::string{query.text(0)}} : std::nullopt;
}

result<std::optional<paused_run>> sessions::load_paused(std::string_view run_id) {
  auto query = execution{*database_, prepared_.load_paused_of};
  const auto found = query.bind(run_id).step();
  if (!found)
    return found.error();
  return *found ? std::optional(paused_from(run_id, query.text(0), query.number(1))) : std::nullopt;
}

result<bool> sessions::erase(std::string_view session_id) {
  if (auto done = run(prepared_.erase_session, session_id); !done)
    return done.error();
  return database_->changes() > 0;
}

result<void> sessions::load_items(std::string_view session_id, std::int64_t session, item_list& items) {
  return each(prepared_.load_items, session, [&](const execution& row) -> result<void> {
    const auto number = static_cast<std::int64_t>(items.size()) + 1;
    auto entry = read_item(row, session_id, number);
    if (!entry)
      return database_->failure(
          fmt::format("session \"{}\" holds an item (number {}) that cannot be read: {}", session_id, number,
                      entry.error().detail));
    items.push_back(std::move(*entry));
    return {};
  });
}

result<void> sessions::load_items(const item_range& which, stored_run& into) {
  const auto unread = [&](std::string_view why) {
    return database_->failure(fmt::format("run \"{}\" has an item (number {}) that cannot be read: {}",
                                          into.run_id, into.items.size() + 1, why));
  };
  auto rows = execution{*database_, prepared_.load_items_from};
  rows.bind(which.session).bind(which.first).bind(which.most);
  const auto read = rows.each([&]() -> result<void> {
    auto entry = read_item(rows, into.session_id, which.first + static_cast<std::int64_t>(into.items.size()));
    if (!entry)
      return unread(entry.error().detail);
    into.items.push_back(std::move(*entry));
    return {};
  });
  if (read && static_cast<std::int64_t>(into.items.size()) < which.least)
    return unread("it is missing");
  return read;
}

result<void> sessions::load_rest(std::int64_t session, session_record& record) {
  const auto take_usage = [&](const execution& row) -> result<void> {
    const auto count = [&](int column) { return static_cast<std::uint64_t>(row.number(column)); };
    record.used.add(row.text(0), row.text(1), {count(2), count(3), count(4), count(5), count(6), count(7)});
    return {};
  };
  const auto take_approval = [&](const execution& row) -> result<void> {
    record.approved.emplace(row.text(0), row.text(1));
    return {};
  };
  const auto take_paused = [&](const execution& row) -> result<void> {
    record.paused = paused_from(row.text(0), row.text(1), row.number(2));
    return {};
  };
  if (auto read = each(prepared_.load_usage, session, take_usage); !read)
    return read;
  if (auto read = each(prepared_.load_approvals, session, take_approval); !read)
    return read;
  return each(prepared_.load_paused, session, take_paused);
}

result<void> sessions::unpause(const session_append& added) {
  if (added.run && added.run->ended && added.run->ended->keeps_records)
    if (auto done = run(prepared_.put_by, added.session_id); !done)
      return done;
  return run(prepared_.unpause, added.session_id);
}

result<std::int64_t> sessions::save(const session_append& added) {
  auto query = execution{*database_, prepared_.save_session};
  query.bind(added.session_id).bind(added.agent).bind(added.owner);
  const auto found = query.step();
  if (!found)
    return found.error();
  const auto key = query.number(0);
  if (auto done = query.finish(); !done)
    return done.error();
  return key;
}

result<std::optional<std::int64_t>> sessions::find(std::string_view session_id) {
  auto query = execution{*database_, prepared_.find_session};
  const auto found = query.bind(session_id).step();
  if (!found)
    return found.error();
  return *found ? std::optional(query.number(0)) : std::nullopt;
}

result<std::int64_t> sessions::last_sequence(std::int64_t session) {
  auto query = execution{*database_, prepared_.last_sequence};
  if (const auto found = query.bind(session).step(); !found)
    return found.error();
  return query.number(0);
}

result<void> sessions::save_items(std::int64_t session, const session_append& added, std::int64_t& last) {
  if (added.takes_back > 0) {
    last = std::max<std::int64_t>(last - static_cast<std::int64_t>(added.takes_back), 0);
    if (auto done = run(prepared_.take_back, session, last); !done)
      return done;
    if (auto done = run(prepared_.take_from_runs, session, last); !done)
      return done;
  }
  for (const auto& entry : added.items) {
    const auto text = dump_json(to_json(entry));
    ++last;
    if (auto done = run(prepared_.save_item, session, last, text, sum_of(added.session_id, last, text));
        !done)
      return done;
  }
  return {};
}

result<void> sessions::save_rest(std::int64_t session, const session_append& added) {
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
               sum_of(added.paused->run_id, paused_place, added.paused->state));
  return {};
}

} // namespace troupe::sqlite
