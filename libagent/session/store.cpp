#include "libagent/session/store.hpp"

namespace troupe {

result<std::optional<stored_run>> session_store::load_run(std::string_view) {
  return std::optional<stored_run>{};
}

result<std::optional<run_head>> session_store::load_head(std::string_view run_id) {
  auto found = load_run(run_id);
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<run_head>{};
  auto& run = **found;
  return std::optional{run_head{std::move(run.run_id), std::move(run.session_id), std::move(run.owner),
                                std::move(run.status), std::move(run.key_hash), std::move(run.outcome),
                                run.last_event}};
}

result<std::optional<paused_run>> session_store::load_paused(std::string_view) {
  return std::optional<paused_run>{};
}

result<std::vector<orphaned_run>> session_store::adopt_runs(const orphan_filter&) {
  return std::vector<orphaned_run>{};
}

result<std::vector<stored_event>> session_store::load_events(std::string_view, std::uint64_t, events_bound) {
  return std::vector<stored_event>{};
}

result<bool> session_store::purge(const retention&) {
  return false;
}

} // namespace troupe
