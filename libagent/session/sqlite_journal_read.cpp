#include "libagent/session/sqlite_journal.hpp"

#include "libagent/core/json.hpp"
#include "libagent/session/sqlite_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

// What is read of runs.
namespace troupe::sqlite {

result<void> journal::check_status(std::string_view run_id, std::string_view status) const {
  constexpr std::string_view known[] = {"waiting", "running", "paused", "completed", "failed", "cancelled"};
  if (std::find(std::begin(known), std::end(known), status) != std::end(known))
    return {};
  return database_->failure(
      fmt::format("run \"{}\": its status is damaged: there is no '{}'", run_id, to_utf8(status)));
}

result<void> journal::check_outcome(std::string_view run_id, std::string_view outcome,
                                    std::int64_t sum) const {
  if (outcome.empty() || sum == sum_of(run_id, outcome_place, outcome))
    return {};
  return database_->failure(
      fmt::format("run \"{}\": its outcome is damaged: its checksum does not fit", run_id));
}

result<void> journal::load_records(std::int64_t key, std::int64_t counted, stored_run& into) {
  auto rows = execution{*database_, prepared_.load_records};
  rows.bind(key);
  const auto read = rows.each([&, expected = std::int64_t{0}]() mutable -> result<void> {
    ++expected;
    const auto text = rows.text(1);
    if (rows.number(0) != expected)
      return database_->failure(fmt::format("run \"{}\": record {} is missing", into.run_id, expected));
    if (rows.number(2) != sum_of(into.run_id, expected, text))
      return database_->failure(
          fmt::format("run \"{}\": record {} is damaged: its checksum does not fit", into.run_id, expected));
    into.records.emplace_back(text);
    into.events_before.push_back(static_cast<std::uint64_t>(rows.number(3)));
    return {};
  });
  const auto there = static_cast<std::int64_t>(into.records.size());
  if (read && there < counted)
    return database_->failure(fmt::format("run \"{}\": record {} is missing", into.run_id, there + 1));
  return read;
}

namespace {

error events_missing(const database& owner, std::string_view run_id, std::int64_t counted,
                     std::int64_t there) {
  return owner.failure(
      fmt::format("run \"{}\": of its {} events {} are missing", run_id, counted, counted - there));
}

} // namespace

result<void> journal::check_events(std::string_view run_id) {
  auto query = execution{*database_, prepared_.lost_events};
  const auto found = query.bind(run_id).step();
  if (!found)
    return found.error();
  if (*found && query.number(1) < query.number(0))
    return events_missing(*database_, run_id, query.number(0), query.number(1));
  return {};
}

result<std::optional<journal::found_run>> journal::load(std::string_view run_id) {
  auto query = execution{*database_, prepared_.load};
  const auto found = query.bind(run_id).step();
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<found_run>{};
  found_run made;
  auto& run = made.run;
  run.run_id = run_id;
  run.session_id = query.text(1);
  run.owner = query.text(2);
  run.status = query.text(3);
  run.request = query.text(4);
  run.outcome = query.text(6);
  run.key_hash = query.text(11);
  if (auto sound = check_status(run_id, run.status); !sound)
    return sound.error();
  if (!run.request.empty() && query.number(5) != sum_of(run_id, request_place, run.request))
    return database_->failure(
        fmt::format("run \"{}\": its request is damaged: its checksum does not fit", run_id));
  if (auto sound = check_outcome(run_id, run.outcome, query.number(7)); !sound)
    return sound.error();
  const bool is_counted = query.number(12) >= 0;
  const auto items = query.number(10);
  made.items = {query.number(8), query.number(9), is_counted ? items : 0, query.number(14)};
  // Up to where the next run's begin, at most: one that has added nothing begins where the next does.
  auto& most = made.items.most;
  if (run.is_over() || is_counted)
    most = std::max<std::int64_t>(most < 0 ? items : std::min(most, items), 0);
  if (auto loaded = load_records(query.number(0), query.number(12), run); !loaded)
    return loaded.error();
  auto events = execution{*database_, prepared_.count_events};
  if (const auto counted = events.bind(query.number(0)).step(); !counted)
    return counted.error();
  run.last_event = static_cast<std::uint64_t>(events.number(0));
  if (!run.is_over() && events.number(1) < query.number(13))
    return events_missing(*database_, run_id, query.number(13), events.number(1));
  return std::optional{std::move(made)};
}

result<std::optional<run_head>> journal::load_head(std::string_view run_id) {
  auto query = execution{*database_, prepared_.load_head};
  const auto found = query.bind(run_id).step();
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<run_head>{};
  run_head head;
  head.run_id = run_id;
  head.session_id = query.text(0);
  head.owner = query.text(1);
  head.status = query.text(2);
  head.key_hash = query.text(3);
  head.outcome = query.text(4);
  head.last_event = static_cast<std::uint64_t>(query.number(6));
  if (auto sound = check_status(run_id, head.status); !sound)
    return sound.error();
  if (auto sound = check_outcome(run_id, head.outcome, query.number(5)); !sound)
    return sound.error();
  return std::optional{std::move(head)};
}

result<std::vector<stored_event>> journal::load_events(std::string_view run_id, std::uint64_t last,
                                                       events_bound most) {
  auto rows = execution{*database_, prepared_.load_events};
  rows.bind(run_id).bind(static_cast<std::int64_t>(last)).bind(static_cast<std::int64_t>(most.events));
  std::vector<stored_event> events;
  for (std::size_t bytes = 0;;) {
    const auto more = rows.step();
    if (!more)
      return more.error();
    if (!*more)
      break;
    const auto text = rows.text(1);
    if (!events.empty() && text.size() > most.bytes - std::min(bytes, most.bytes))
      return events;
    bytes += text.size();
    const auto number = static_cast<std::uint64_t>(rows.number(0));
    if (number <= (events.empty() ? last : events.back().number))
      return database_->failure(fmt::format("run \"{}\": its events are out of order", run_id));
    if (rows.number(2) != sum_of(run_id, rows.number(0), text))
      return database_->failure(
          fmt::format("run \"{}\": event {} is damaged: its checksum does not fit", run_id, rows.number(0)));
    events.push_back({number, std::string{text}});
  }
  // These are the last of them.
  if (events.size() < most.events)
    if (auto whole = check_events(run_id); !whole)
      return whole.error();
  return events;
}

} // namespace troupe::sqlite
