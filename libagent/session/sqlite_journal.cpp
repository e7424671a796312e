#include "libagent/session/sqlite_journal.hpp"

#include "libagent/session/sqlite_sums.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::sqlite {

namespace {

error not_ours(std::string_view run_id) {
  return fail(errc::conflict, fmt::format("the run '{}' is another server's", run_id));
}

} // namespace

result<journal> journal::open(database& owner, const std::string& path, std::shared_ptr<process_seat> seat) {
  auto made = journal{owner, std::move(seat)};
  if (auto prepared = made.prepare(); !prepared)
    return prepared.error();
  if (made.seat_->number == 0)
    if (auto numbered = made.take_number(path); !numbered)
      return numbered.error();
  return made;
}

result<journal> journal::open_to_read(database& owner) {
  auto made = journal{owner, std::make_shared<process_seat>()};
  if (auto prepared = made.prepare(); !prepared)
    return prepared.error();
  return made;
}

result<void> journal::prepare() {
  const std::pair<statement statements::*, std::string_view> definitions[] = {
      {&statements::find, "SELECT key, (SELECT coalesce(max(sequence), 0) FROM journal WHERE run = key), "
                          "status = 'paused', process = ?2 FROM runs WHERE id = ?1"},
      {&statements::accept,
       "INSERT INTO runs(id, session, process, owner, status, request, request_sum, key_hash, first_item, "
       "items, "
       "outcome, outcome_sum, bytes, created, changed) "
       "VALUES(?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, 0, 0, '', 0, 0, unixepoch(), unixepoch()) "
       "ON CONFLICT(id) DO NOTHING"},
      {&statements::erase_id, "DELETE FROM runs WHERE id = ?1 AND (process = ?2 OR "
                              "status IN ('completed', 'failed', 'cancelled'))"},
      {&statements::begin, "UPDATE runs SET status = 'running', first_item = ?2 "
                           "WHERE key = ?1 AND status NOT IN ('completed', 'failed', 'cancelled')"},
      {&statements::resume,
       "UPDATE runs SET status = 'running', process = ?2 WHERE key = ?1 AND status = 'paused'"},
      {&statements::add_record,
       "INSERT INTO journal(run, sequence, record, checksum, event) VALUES(?1, ?2, ?3, ?4, ?5)"},
      {&statements::end, "UPDATE runs SET status = ?2, outcome = ?3, outcome_sum = ?4, items = ?5 - "
                         "first_item + 1, bytes = bytes + ?6, changed = unixepoch(), "
                         "request = CASE ?2 WHEN 'paused' THEN request ELSE '' END, process = ?7 "
                         "WHERE key = ?1 AND status NOT IN ('completed', 'failed', 'cancelled')"},
      {&statements::drop_records, "DELETE FROM journal WHERE run = ?1"},
      {&statements::add_event,
       "INSERT OR REPLACE INTO run_events(run, id, event, checksum) VALUES(?1, ?2, ?3, ?4)"},
      {&statements::add_bytes, "UPDATE runs SET bytes = bytes + ?2 WHERE key = ?1"},
      {&statements::void_event, "DELETE FROM run_events WHERE run = ?1 AND id = ?2"},
      {&statements::load, "SELECT r.key, s.id, r.owner, r.status, r.request, r.request_sum, r.outcome, "
                          "r.outcome_sum, r.session, r.first_item, r.items, r.key_hash, "
                          "coalesce((SELECT min(n.first_item) FROM runs n WHERE n.session = r.session AND "
                          "n.key > r.key AND n.first_item > r.first_item) - r.first_item, -1) "
                          "FROM runs r JOIN sessions s ON s.key = r.session WHERE r.id = ?1"},
      {&statements::load_head, "SELECT s.id, r.owner, r.status, r.key_hash, r.outcome, r.outcome_sum, "
                               "(SELECT coalesce(max(id), 0) FROM run_events WHERE run = r.key) "
                               "FROM runs r JOIN sessions s ON s.key = r.session WHERE r.id = ?1"},
      {&statements::load_records,
       "SELECT sequence, record, checksum, event FROM journal WHERE run = ?1 ORDER BY sequence"},
      {&statements::last_event, "SELECT coalesce(max(id), 0) FROM run_events WHERE run = ?1"},
      {&statements::load_events, "SELECT e.id, e.event, e.checksum FROM run_events e JOIN runs r ON r.key = "
                                 "e.run WHERE r.id = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3"},
      {&statements::dead_processes,
       "SELECT DISTINCT process FROM runs WHERE status IN ('waiting', 'running')"},
      {&statements::adopt,
       "UPDATE runs SET process = ?1 WHERE process = ?2 AND status IN ('waiting', 'running') "
       "AND (?3 = '' OR session = (SELECT key FROM sessions WHERE id = ?3)) "
       "AND (?4 = '' OR session = (SELECT session FROM runs WHERE id = ?4) AND "
       "(status = 'waiting', key) <= (SELECT status = 'waiting', key FROM runs WHERE id = ?4 AND "
       "status IN ('waiting', 'running')))"},
      {&statements::unfinished,
       "SELECT r.id, s.id, r.owner, r.key_hash FROM runs r JOIN sessions s ON s.key = r.session "
       "WHERE r.process = ?1 AND r.status IN ('waiting', 'running') ORDER BY r.status = 'waiting', r.key"},
      {&statements::purge_old, "DELETE FROM runs WHERE key IN (SELECT key FROM runs WHERE "
                               "status IN ('completed', 'failed', 'cancelled') AND "
                               "changed <= unixepoch() - ?1 ORDER BY changed LIMIT ?2)"},
      {&statements::read_size, "SELECT bytes FROM journal_size"},
      {&statements::oldest, "SELECT key, bytes FROM runs WHERE status IN ('completed', 'failed', "
                            "'cancelled') ORDER BY changed LIMIT 1"},
      {&statements::erase_run, "DELETE FROM runs WHERE key = ?1"},
  };
  for (const auto& [place, sql] : definitions) {
    auto made = database_->prepare(sql);
    if (!made)
      return made.error();
    prepared_.*place = std::move(*made);
  }
  return {};
}

result<void> journal::take_number(const std::string& path) {
  auto lock = process_lock::open(path + "-processes");
  if (!lock)
    return lock.error();
  auto insert = database_->prepare("INSERT INTO processes(started) VALUES(unixepoch()) RETURNING id");
  if (!insert)
    return insert.error();
  auto query = execution{*database_, *insert};
  if (const auto made = query.step(); !made)
    return made.error();
  const auto number = query.number(0);
  if (auto done = query.finish(); !done)
    return done;
  if (auto taken = lock->take(number); !taken)
    return taken;
  *seat_ = {std::move(*lock), number};
  return {};
}

template <class... Values>
result<void> journal::run(const statement& prepared, const Values&... values) {
  auto one = execution{*database_, prepared};
  (one.bind(values), ...);
  return one.finish();
}

result<journal::open_run*> journal::find(const std::string& run_id) {
  // Another process may have gone on with one that is paused.
  if (const auto known = open_.find(run_id); known != open_.end() && !known->second.is_paused)
    return &known->second;
  auto query = execution{*database_, prepared_.find};
  const auto found = query.bind(run_id).bind(seat_->number).step();
  if (!found)
    return found.error();
  if (!*found)
    return nullptr;
  const bool is_paused = query.number(2) != 0;
  const bool is_own = query.number(3) != 0;
  if (!is_paused && !is_own)
    return not_ours(run_id);
  return &(open_[run_id] = {query.number(0), query.number(1), is_paused});
}

result<void> journal::accept(const run_change& what, std::int64_t session) {
  const auto& accepted = *what.accepted;
  open_.erase(what.run_id);
  // A run id that comes again is that of a run that was refused, or over.
  if (auto erased = run(prepared_.erase_id, what.run_id, seat_->number); !erased)
    return erased;
  if (auto added =
          run(prepared_.accept, what.run_id, session, seat_->number, accepted.owner, accepted.request,
              sum_of(what.run_id, request_place, accepted.request), accepted.key_hash);
      !added)
    return added;
  return database_->changes() > 0 ? result<void>() : not_ours(what.run_id);
}

result<void> journal::begin(const run_change& what, std::int64_t session, std::int64_t last_item) {
  if (what.accepted)
    if (auto accepted = accept(what, session); !accepted)
      return accepted;
  if (!what.begins)
    return {};
  const auto found = find(what.run_id);
  if (!found)
    return found.error();
  return *found != nullptr ? run(prepared_.begin, (*found)->key, last_item + 1) : result<void>();
}

result<void> journal::change(const run_change& what, std::int64_t last_item) {
  auto found = find(what.run_id);
  if (!found)
    return found.error();
  // Erased with its session meanwhile, or from a time without a journal.
  if (*found == nullptr)
    return {};
  auto& open = **found;
  auto id = static_cast<std::int64_t>(what.first_event);
  std::int64_t bytes = 0;
  for (const auto& event : what.events) {
    bytes += static_cast<std::int64_t>(event.size());
    if (auto added = run(prepared_.add_event, open.key, id, event, sum_of(what.run_id, id, event)); !added)
      return added;
    ++id;
  }
  if (bytes > 0)
    if (auto counted = run(prepared_.add_bytes, open.key, bytes); !counted)
      return counted;
  for (const auto number : what.void_events)
    if (auto done = run(prepared_.void_event, open.key, static_cast<std::int64_t>(number)); !done)
      return done;
  // The first step of a paused run that goes on.
  if (!what.records.empty() && std::exchange(open.is_paused, false))
    if (auto resumed = run(prepared_.resume, open.key, seat_->number); !resumed)
      return resumed;
  for (const auto& record : what.records) {
    const auto place = open.sequence + 1;
    if (auto added = run(prepared_.add_record, open.key, place, record, sum_of(what.run_id, place, record),
                         static_cast<std::int64_t>(what.last_event));
        !added)
      return added;
    open.sequence = place;
  }
  return what.ended ? end(what, open, last_item) : result<void>();
}

result<void> journal::end(const run_change& what, const open_run& run_now, std::int64_t last_item) {
  const auto& [status, outcome, keeps_records] = *what.ended;
  if (auto ended =
          run(prepared_.end, run_now.key, status, outcome, sum_of(what.run_id, outcome_place, outcome),
              last_item, static_cast<std::int64_t>(outcome.size()), seat_->number);
      !ended)
    return ended;
  auto dropped =
      run_now.sequence > 0 && !keeps_records ? run(prepared_.drop_records, run_now.key) : result<void>();
  open_.erase(what.run_id);
  return dropped;
}

result<std::vector<std::int64_t>> journal::dead_processes() {
  std::vector<std::int64_t> dead;
  auto rows = execution{*database_, prepared_.dead_processes};
  const auto take = [&]() -> result<void> {
    if (!seat_->lock.is_held(rows.number(0)))
      dead.push_back(rows.number(0));
    return {};
  };
  if (auto read = rows.each(take); !read)
    return read.error();
  return dead;
}

result<std::int64_t> journal::carrier_of(std::string_view run_id) {
  auto prepared = database_->prepare("SELECT process FROM runs WHERE id = ?1");
  if (!prepared)
    return prepared.error();
  auto row = execution{*database_, *prepared};
  const auto found = row.bind(run_id).step();
  if (!found)
    return found.error();
  return *found ? row.number(0) : 0;
}

result<std::vector<orphaned_run>> journal::adopt(const orphan_filter& wanted) {
  auto change = transaction::begin(*database_);
  if (!change)
    return change.error();
  auto dead = dead_processes();
  if (!dead)
    return dead.error();
  if (!wanted.run_id.empty()) {
    const auto carrier = carrier_of(wanted.run_id);
    if (!carrier)
      return carrier.error();
    // What stands before a run that is carried is for its carrier.
    if (std::find(dead->begin(), dead->end(), *carrier) == dead->end())
      dead->clear();
  }
  for (const auto process : *dead)
    if (auto adopted = run(prepared_.adopt, seat_->number, process, wanted.session_id, wanted.run_id);
        !adopted)
      return adopted.error();
  std::vector<orphaned_run> all;
  if (!dead->empty()) {
    auto rows = execution{*database_, prepared_.unfinished};
    const auto take = [&]() -> result<void> {
      all.push_back({std::string{rows.text(0)}, std::string{rows.text(1)}, std::string{rows.text(2)},
                     std::string{rows.text(3)}});
      return {};
    };
    if (auto read = rows.bind(seat_->number).each(take); !read)
      return read.error();
  }
  if (auto committed = change->commit(); !committed)
    return committed.error();
  return all;
}

result<bool> journal::purge(const retention& kept) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(kept.time).count();
  const auto at_once = static_cast<std::int64_t>(kept.at_once);
  if (auto purged = run(prepared_.purge_old, static_cast<std::int64_t>(seconds), at_once); !purged)
    return purged.error();
  std::int64_t erased = database_->changes();
  auto size = execution{*database_, prepared_.read_size};
  if (const auto read = size.step(); !read)
    return read.error();
  auto bytes = size.number(0);
  const auto most = static_cast<std::int64_t>(kept.bytes);
  for (; bytes > most && erased < at_once; ++erased) {
    auto query = execution{*database_, prepared_.oldest};
    const auto found = query.step();
    if (!found)
      return found.error();
    if (!*found)
      return false;
    const auto key = query.number(0);
    bytes -= query.number(1);
    if (auto done = run(prepared_.erase_run, key); !done)
      return done.error();
  }
  return erased >= at_once;
}

} // namespace troupe::sqlite
