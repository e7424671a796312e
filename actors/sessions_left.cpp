#include "actors/sessions.hpp"
#include "actors/stored_run_json.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

// What the sessions' actor leaves to the one after it.
namespace troupe {

void end_lost(const store_actor& store, const std::vector<run_record_ptr>& lost) {
  for (const auto& each : lost) {
    auto record = *each;
    record.status = run_status::failed;
    record.failure = fail(errc::internal, "the sessions' actor ended before the run did");
    run_change change{record.run_id};
    change.ended = to_stored(record);
    caf::anon_send(store, finished_atom::value, std::move(change));
  }
}

void sessions_state::leave() const {
  if (!left_ || !runs_ || !environment_->is_journaled)
    return;
  for (const auto& run : runs_->under_way()) {
    const auto orphans = orphans_.find(run->session_id);
    const bool is_untouched =
        orphans != orphans_.end() &&
        std::find(orphans->second.begin(), orphans->second.end(), run->run_id) != orphans->second.end();
    if (!is_untouched)
      left_->lost.push_back(run);
  }
  for (const auto& [session_id, orphans] : orphans_)
    for (const auto& run_id : orphans) {
      const auto run = runs_->find(run_id);
      left_->untouched.push_back({run_id, session_id, run->owner, run->key_hash});
    }
}

} // namespace troupe
