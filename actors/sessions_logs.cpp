#include "actors/defaults.hpp"
#include "actors/run_log.hpp"
#include "actors/sessions.hpp"

// Logs of the events of runs.
namespace troupe {

run_log_actor sessions_state::make_log(const std::string& run_id, bool is_new) {
  if (const auto known = logs_.find(run_id); known != logs_.end()) {
    if (!is_new)
      return known->second;
    // It was refused before, and is asked for again.
    drop_log(run_id);
  }
  auto setup = log_setup(run_id);
  setup.is_new = is_new;
  return logs_.emplace(run_id, self_->spawn(run_log_behavior, std::move(setup))).first->second;
}

run_log_setup sessions_state::log_setup(const std::string& run_id) const {
  run_log_setup setup{run_id, environment_->store, environment_->is_journaled, false};
  setup.hides = environment_->hides;
  setup.window = defaults::run_log_window;
  setup.kept_bytes = defaults::run_log_bytes;
  return setup;
}

observer_actor sessions_state::watcher_of(resume_request& request, const observer_actor& observer) {
  // An embedder's own, who reads nothing else.
  if (observer && !request.is_logged)
    return observer;
  request.is_logged = true;
  const auto log = make_log(request.run_id, false);
  std::erase(old_logs_, request.run_id);
  self_->send(log, recover_atom::value);
  return log;
}

void sessions_state::retire_log(const std::string& run_id) {
  const auto known = logs_.find(run_id);
  if (known == logs_.end())
    return;
  // Also where the run's turn never came.
  self_->send(known->second, finished_atom::value);
  if (environment_->is_journaled) {
    logs_.erase(run_id);
    return;
  }
  std::erase(old_logs_, run_id);
  old_logs_.push_back(run_id);
  if (old_logs_.size() > defaults::kept_logs)
    drop_log(std::string(old_logs_.front()));
}

void sessions_state::drop_log(const std::string& run_id) {
  logs_.erase(run_id);
  std::erase(old_logs_, run_id);
}

} // namespace troupe
