#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/sessions.hpp"

// What other processes carry, or have left.
namespace troupe {

bool sessions_state::may_have_moved(const run_record& known) const {
  return environment_->is_journaled && known.status == run_status::paused;
}

bool sessions_state::is_under_way(const std::string& run_id) const {
  const auto known = runs_->find(run_id);
  return known && known->status == run_status::running;
}

caf::result<acknowledgement> sessions_state::take_over(const std::string& session_id,
                                                       const std::vector<orphaned_run>& runs) {
  if (stopping_)
    return to_caf(fail(errc::shutting_down, "the server is shutting down"));
  for (const auto& [run_id, session, owner, key_hash] : runs) {
    // From the start on.
    if (is_under_way(run_id))
      continue;
    log().info("session '{}': another server did not live to end the run '{}', which is taken up", session_id,
               run_id);
    runs_->begin(run_id, session_id, {}, owner, key_hash);
    count_begin(run_id);
    self_->send(find_or_make(session_id).handle, recover_atom::value, run_id,
                observer_actor(make_log(run_id, false)));
  }
  return acknowledgement{};
}

void sessions_state::note_moved(const run_head& run) {
  const auto known = runs_->find(run.run_id);
  const auto session = entries_.find(run.session_id);
  if (known && known->status == run_status::paused && session != entries_.end())
    self_->send(session->second.handle, settle_atom::value, run.run_id);
}

void sessions_state::look_for_left(const run_head_ptr& run, std::function<void()> go_on) {
  if (is_under_way(run->run_id))
    return go_on();
  note_moved(*run);
  if (!environment_->takes_up_left || stopping_)
    return go_on();
  ask<adopted_runs_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this, run, go_on](const adopted_runs_ptr& left) {
        (void)take_over(run->session_id, *left);
        go_on();
      },
      [run, go_on](const caf::error& reason) {
        log().warn("session '{}': it cannot be seen now what other servers have left of it: {}",
                   run->session_id, from_caf(reason).detail);
        go_on();
      },
      adopt_atom::value, run->session_id);
}

} // namespace troupe
