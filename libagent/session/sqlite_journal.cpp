#include "libagent/session/sqlite_journal.hpp"

#include "libagent/session/sqlite_schema.hpp"
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

result<journal> journal::open_to_read(database& owner, std::string* damage) {
  auto made = journal{owner, std::make_shared<process_seat>()};
  if (auto prepared = made.prepare(damage); !prepared)
    return prepared.error();
  return made;
}

result<void> journal::take_number(const std::string& path) {
  auto lock = process_lock::open(path + "-processes");
  if (!lock)
    return lock.error();
  auto insert =
      database_->prepare("INSERT INTO processes(started, version) VALUES(unixepoch(), ?1) RETURNING id");
  if (!insert)
    return insert.error();
  auto query = execution{*database_, *insert};
  if (const auto made = query.bind(schema_version).step(); !made)
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
  const bool is_paused = query.number(1) != 0;
  const bool is_own = query.number(2) != 0;
  if (!is_paused && !is_own)
    return not_ours(run_id);
  return &(open_[run_id] = {query.number(0), query.number(3), query.number(4), query.number(5), is_paused});
}

result<void> journal::accept(const run_change& what, std::int64_t session, std::int64_t last_item,
                             std::size_t items) {
  const auto& accepted = *what.accepted;
  open_.erase(what.run_id);
  // A run id that comes again is that of a run that was refused, or over.
  if (auto erased = run(prepared_.erase_id, what.run_id, seat_->number); !erased)
    return erased;
  auto query = execution{*database_, prepared_.accept};
  query.bind(what.run_id).bind(session).bind(seat_->number).bind(accepted.owner).bind(accepted.request);
  query.bind(sum_of(what.run_id, request_place, accepted.request)).bind(accepted.key_hash);
  query.bind(what.begins ? "running" : "waiting");
  query.bind(what.begins ? last_item + 1 : 0).bind(what.begins ? static_cast<std::int64_t>(items) : 0);
  const auto added = query.step();
  if (!added)
    return added.error();
  if (!*added)
    return not_ours(what.run_id);
  open_[what.run_id].key = query.number(0);
  return query.finish();
}

result<void> journal::begin(const run_change& what, std::int64_t session, std::int64_t last_item,
                            std::size_t items) {
  if (what.accepted)
    return accept(what, session, last_item, items);
  if (!what.begins)
    return {};
  const auto found = find(what.run_id);
  if (!found)
    return found.error();
  return *found != nullptr
             ? run(prepared_.begin, (*found)->key, last_item + 1, static_cast<std::int64_t>(items))
             : result<void>();
}

result<void> journal::add_event(const std::string& run_id, open_run& open, std::int64_t id,
                                std::string_view event) {
  // One that was told before counts once.
  if (id <= open.last_event)
    if (auto done = void_event(open, id); !done)
      return done;
  if (auto added = run(prepared_.add_event, open.key, id, event, sum_of(run_id, id, event)); !added)
    return added;
  ++open.events;
  open.last_event = std::max(open.last_event, id);
  return {};
}

result<void> journal::void_event(open_run& open, std::int64_t id) {
  auto done = run(prepared_.void_event, open.key, id);
  if (done)
    open.events -= database_->changes();
  return done;
}

result<void> journal::add_records(const run_change& what, open_run& open) {
  // The first step of a paused run that goes on.
  if (!what.records.empty() && std::exchange(open.is_paused, false))
    if (auto resumed = run(prepared_.resume, open.key, seat_->number); !resumed)
      return resumed;
  for (const auto& record : what.records) {
    const auto place = open.records + 1;
    if (auto added = run(prepared_.add_record, open.key, place, record, sum_of(what.run_id, place, record),
                         static_cast<std::int64_t>(what.last_event));
        !added)
      return added;
    open.records = place;
  }
  return {};
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
    if (auto added = add_event(what.run_id, open, id++, event); !added)
      return added;
  }
  for (const auto number : what.void_events)
    if (auto done = void_event(open, static_cast<std::int64_t>(number)); !done)
      return done;
  if (auto added = add_records(what, open); !added)
    return added;
  if (what.ended)
    return end(what, open, last_item, bytes);
  const bool adds_nothing = what.events.empty() && what.void_events.empty() && what.records.empty();
  return adds_nothing ? result<void>() : run(prepared_.count, open.key, bytes, open.records, open.events);
}

result<void> journal::end(const run_change& what, const open_run& run_now, std::int64_t last_item,
                          std::int64_t bytes) {
  const auto& [status, outcome, keeps_records] = *what.ended;
  const auto left = keeps_records ? run_now.records : 0;
  if (auto ended = run(
          prepared_.end, run_now.key, status, outcome, sum_of(what.run_id, outcome_place, outcome), last_item,
          bytes + static_cast<std::int64_t>(outcome.size()), seat_->number, left, run_now.events);
      !ended)
    return ended;
  // It is over already, and stays as it has ended.
  if (database_->changes() == 0)
    if (auto counted = run(prepared_.count, run_now.key, bytes, left, run_now.events); !counted)
      return counted;
  auto dropped =
      run_now.records > 0 && !keeps_records ? run(prepared_.drop_records, run_now.key) : result<void>();
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
  // Mostly there is none, and nobody is kept from writing.
  auto dead = dead_processes();
  if (!dead)
    return dead.error();
  if (dead->empty())
    return std::vector<orphaned_run>{};
  auto change = transaction::begin(*database_);
  if (!change)
    return change.error();
  dead = dead_processes();
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
