#include "libagent/session/sqlite_journal.hpp"

#include "libagent/session/sqlite_sums.hpp"

#include <fmt/format.h>

#include <algorithm>

// What is read of runs.
namespace troupe::sqlite {

result<void> journal::check_outcome(std::string_view run_id, std::string_view outcome,
                                    std::int64_t sum) const {
  if (outcome.empty() || sum == sum_of(run_id, outcome_place, outcome))
    return {};
  return database_->failure(
      fmt::format("run \"{}\": its outcome is damaged: its checksum does not fit", run_id));
}

result<void> journal::load_records(std::int64_t key, stored_run& into) {
  auto rows = execution{*database_, prepared_.load_records};
  rows.bind(key);
  return rows.each([&, expected = std::int64_t{0}]() mutable -> result<void> {
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
  if (!run.request.empty() && query.number(5) != sum_of(run_id, request_place, run.request))
    return database_->failure(
        fmt::format("run \"{}\": its request is damaged: its checksum does not fit", run_id));
  if (auto sound = check_outcome(run_id, run.outcome, query.number(7)); !sound)
    return sound.error();
  made.session = query.number(8);
  made.first_item = query.number(9);
  // Up to where the next run's begin.
  made.items = query.number(12);
  if (run.is_over())
    made.items = made.items < 0 ? query.number(10) : std::min(made.items, query.number(10));
  if (auto loaded = load_records(query.number(0), run); !loaded)
    return loaded.error();
  auto last = execution{*database_, prepared_.last_event};
  if (const auto counted = last.bind(query.number(0)).step(); !counted)
    return counted.error();
  run.last_event = static_cast<std::uint64_t>(last.number(0));
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
      return events;
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
}

} // namespace troupe::sqlite
