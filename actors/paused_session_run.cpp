#include "actors/paused_session_run.hpp"

#include "actors/defaults.hpp"
#include "libagent/run/paused_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

namespace {

error unreadable(const paused_run& stored, std::string_view why) {
  return fail(errc::store_failed, fmt::format("the paused run '{}' cannot be read: {}", stored.run_id, why));
}

} // namespace

paused_run to_stored(const paused_session_run& run) {
  return {run.run_id, dump_json({{"run", run::paused_to_json(*run.state)},
                                 {"spending", to_json(run.spending)},
                                 {"saved_items", run.saved}})};
}

result<paused_session_run> from_stored(const paused_run& stored) {
  if (stored.is_damaged)
    return unreadable(stored, "its checksum does not fit");
  const auto value = parse_json(stored.state, defaults::journal_depth);
  if (!value)
    return unreadable(stored, value.error().detail);
  const auto* state = find(*value, "run");
  const auto* spending = find(*value, "spending");
  const auto* saved = find(*value, "saved_items");
  if (state == nullptr || spending == nullptr || saved == nullptr || !saved->is_number_unsigned())
    return unreadable(stored, "a part of it is missing");
  auto run = run::paused_from_json(*state);
  if (!run)
    return unreadable(stored, run.error().detail);
  auto limits = budget_from_json(*spending);
  if (!limits)
    return unreadable(stored, limits.error().detail);
  return paused_session_run{stored.run_id, std::make_shared<const run::state>(std::move(*run)), *limits,
                            saved->get<std::size_t>()};
}

bool is_of_newer_version(const paused_run& stored) {
  const auto value = parse_json(stored.state, defaults::journal_depth);
  const auto* state = value && !stored.is_damaged ? find(*value, "run") : nullptr;
  const auto* version = state != nullptr ? find(*state, "troupe_run") : nullptr;
  return version != nullptr && version->is_number_unsigned() && *version > run::state_version;
}

run_record record_of(const paused_session_run& run, const std::string& session_id) {
  run_record record;
  record.run_id = run.run_id;
  record.session_id = session_id;
  record.status = run_status::paused;
  record.agent = run.state->agent->name;
  record.items = run.state->fresh;
  record.used = run::spent_by(*run.state);
  record.interruptions = interruptions(*run.state);
  return record;
}

} // namespace troupe
