#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// How a session that is used learns what other processes have done with it.
namespace troupe {

namespace {

error waits_for_decision(const std::string& run_id) {
  auto reason =
      fail(errc::conflict,
           fmt::format("the session's run '{}' waits for a decision, and has to be settled first", run_id));
  reason.facts = std::make_shared<const json>(json{{"run_id", run_id}});
  return reason;
}

} // namespace

void session_state::recover(const std::string& run_id, observer_actor observer) {
  // Its process may have added to the session.
  is_stale_ = is_stale_ || loaded_;
  // Prompts that wait come after it.
  const auto last = std::find_if(jobs_.rbegin(), jobs_.rend(), [](const job& each) {
                      return std::holds_alternative<recover_job>(each);
                    }).base();
  const auto first = jobs_.begin() + (busy_ ? 1 : 0);
  jobs_.insert(std::max(first, last), recover_job{run_id, std::move(observer)});
  next();
}

void session_state::look_for_left() {
  ask<adopted_runs_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this](const adopted_runs_ptr& left) {
        if (left->empty())
          return has_looked();
        // It keeps count of runs, and has their logs.
        ask<acknowledgement>(
            self_, parent_, defaults::store_timeout, [this](acknowledgement) { has_looked(); },
            [this](const caf::error& reason) { not_looked(from_caf(reason)); }, recover_atom::value, id_,
            left);
      },
      [this](const caf::error& reason) { not_looked(from_caf(reason)); }, adopt_atom::value, id_);
}

void session_state::has_looked() {
  has_looked_ = true;
  const auto is_left = [](const job& each) { return std::holds_alternative<recover_job>(each); };
  // One that is cancelled does not begin, so that it need not wait either.
  if (cancelled_ || is_left(jobs_.front()) || std::none_of(jobs_.begin(), jobs_.end(), is_left))
    return load();
  std::stable_partition(jobs_.begin(), jobs_.end(), is_left);
  busy_ = false;
  next();
}

void session_state::not_looked(const error& reason) {
  if (is_run(jobs_.front()))
    return fail_run(reason);
  log().warn("session '{}': it cannot be seen now what other servers have left of it: {}", id_,
             reason.detail);
  has_looked_ = true;
  is_stale_ = true;
  load();
}

void session_state::look_at_blocker(prompt_job& wanted) {
  const auto waits = waits_for_decision(paused_->run_id);
  if (!environment_->is_journaled)
    return fail_run(waits);
  if (std::exchange(wanted.has_looked, true))
    return fail_run(fail(
        errc::conflict, fmt::format("the session's run '{}' is carried by another server", paused_->run_id)));
  ask<run_head_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this, waits](const run_head_ptr& run) {
        if (run->status == to_string(run_status::paused))
          return fail_run(waits);
        blocker_has_gone();
      },
      [this](const caf::error& why) {
        const auto reason = from_caf(why);
        // It was erased with its session.
        if (reason.code == errc::unknown_run)
          return blocker_has_gone();
        fail_run(reason);
      },
      head_atom::value, paused_->run_id);
}

void session_state::blocker_has_gone() {
  const bool is_cancelled = cancelled_.has_value();
  if (!is_cancelled)
    // Others waited for it too, and were there before.
    std::stable_partition(jobs_.begin(), jobs_.end(), [this](const job& each) { return is_held(each); });
  forget();
  if (is_cancelled)
    return load();
  busy_ = false;
  next();
}

void session_state::went_on_elsewhere(const std::string& run_id) {
  if (!paused_ || paused_->run_id != run_id)
    return;
  if (busy_) {
    is_stale_ = true;
    return;
  }
  forget();
  // Prompts may have waited for it.
  next();
}

} // namespace troupe
