#include "apps/troupe/unfinished_runs.hpp"

#include "apps/troupe/ask.hpp"
#include "apps/troupe/defaults.hpp"
#include "apps/troupe/output.hpp"
#include "apps/troupe/run_report.hpp"
#include "apps/troupe/text.hpp"

#include <algorithm>
#include <csignal>

namespace troupe::cli {

unfinished_runs::unfinished_runs(host& house, const std::string& config,
                                 std::chrono::milliseconds run_timeout, stop_signals& signals,
                                 chat_screen* talk)
    : house_(house), config_(config), run_timeout_(run_timeout), signals_(signals), talk_(talk) {}

std::string unfinished_runs::session_id() const {
  return all().empty() ? std::string() : all().front().session_id;
}

bool unfinished_runs::has(const std::string& run_id) const {
  return std::any_of(all().begin(), all().end(),
                     [&](const orphaned_run& each) { return each.run_id == run_id; });
}

std::chrono::milliseconds unfinished_runs::patience() const {
  return run_timeout_ * static_cast<int>(all().size() + 1);
}

watched_run unfinished_runs::join(const std::string& run_id) const {
  resume_request request{run_id, {}};
  request.only_joins = true;
  return {house_, run_timeout_, std::move(request)};
}

std::optional<int> unfinished_runs::watch(const std::string& except) {
  if (all().empty())
    return std::nullopt;
  if (const auto number = find_blocker())
    return number;
  for (const auto& each : all()) {
    const auto& run_id = each.run_id;
    if (!blocker_.empty()) {
      complain("troupe: the run {} was left unfinished; it waits until the run {} is settled: {}\n", run_id,
               blocker_, resume_command(config_, blocker_));
      continue;
    }
    complain("troupe: the run {} was left unfinished, and goes on\n", run_id);
    if (run_id == except)
      continue;
    if (const auto number = follow(run_id))
      return number;
  }
  return std::nullopt;
}

std::optional<int> unfinished_runs::find_blocker() {
  const auto sessions = house_.agents().sessions();
  const auto session = ask<session_record_ptr>(house_.system(), signals_, sessions, defaults::store_timeout,
                                               info_atom::value, session_id());
  if (const auto* number = std::get_if<int>(&session))
    return *number;
  const auto* record = std::get_if<session_record_ptr>(&session);
  // Nor is one in the way that goes on itself.
  if (!record || !(*record)->paused || has((*record)->paused->run_id))
    return std::nullopt;
  const auto paused = ask<run_record_ptr>(house_.system(), signals_, sessions, defaults::store_timeout,
                                          run_atom::value, (*record)->paused->run_id);
  if (const auto* number = std::get_if<int>(&paused))
    return *number;
  // A damaged one has ended by now; one that is carried elsewhere may have gone on.
  const auto* run = std::get_if<run_record_ptr>(&paused);
  if (run && ((*run)->status == run_status::paused || (*run)->status == run_status::running))
    blocker_ = (*run)->run_id;
  return std::nullopt;
}

std::optional<int> unfinished_runs::follow(const std::string& run_id) {
  auto going = join(run_id);
  while (true) {
    const auto came = going.next(signals_);
    if (const auto* outcome = std::get_if<result<chat_reply>>(&came)) {
      tell(run_id, *outcome);
      return std::nullopt;
    }
    const auto* number = std::get_if<int>(&came);
    if (number && talk_ && *number == SIGINT) {
      going.cancel();
    } else if (number) {
      complain("troupe: the run {} is left unfinished again\n", run_id);
      return *number;
    }
  }
}

void unfinished_runs::tell(const std::string& run_id, const result<chat_reply>& outcome) {
  if (!outcome) {
    // It may be the waiting alone that has ended.
    const auto came = ask<run_record_ptr>(house_.system(), signals_, house_.agents().sessions(),
                                          defaults::store_timeout, run_atom::value, run_id);
    const auto* record = std::get_if<run_record_ptr>(&came);
    return complain("{}", no_answer_line(config_, run_id, outcome.error(), record ? record->get() : nullptr));
  }
  if (outcome->status != run_status::paused) {
    complain("troupe: the run {} is completed\n", run_id);
    if (talk_)
      talk_->show(*outcome);
    return;
  }
  blocker_ = run_id;
  if (!talk_)
    complain("{}troupe: the run {} waits; to go on: {}\n", interruption_lines(run_id, outcome->interruptions),
             run_id, how_to_go_on(config_, run_id, outcome->interruptions));
}

} // namespace troupe::cli
