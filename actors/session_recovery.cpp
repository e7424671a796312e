#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/session.hpp"
#include "actors/stored_run_json.hpp"
#include "actors/told_event.hpp"

#include <caf/send.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

// How a session takes up runs that another process did not live to end.
namespace troupe {

namespace {

/// Whether a run may be taken up later that could not be for this reason.
bool helps_to_wait(errc code) {
  return may_pass(code) || code == errc::deadline_exceeded || code == errc::overloaded ||
         // The store's actor is being started again.
         code == errc::shutting_down || code == errc::internal;
}

} // namespace

void session_state::not_begun(const error& reason) {
  is_in_journal_ = false;
  forget();
  auto& wanted = std::get<prompt_job>(jobs_.front());
  if (!wanted.taken_up || !helps_to_wait(reason.code))
    return fail_run(reason);
  // It stays where it is for the next server.
  if (is_shutdown())
    return fail_run(cancelled_->first);
  auto again = std::move(*wanted.taken_up);
  jobs_.front() = std::move(again);
  give_up_recovery(reason, false);
}

void session_state::start(recover_job& wanted) {
  ask<stored_run_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this](const stored_run_ptr& found) { take_up(*found); },
      [this](const caf::error& reason) {
        const auto why = from_caf(reason);
        if (why.code == errc::unknown_run)
          return give_up_recovery(fail(errc::cancelled, "the run was erased with its session"), false);
        give_up_recovery(why, why.code == errc::store_failed);
      },
      journal_atom::value, wanted.run_id);
}

void session_state::take_up(const stored_run& found) {
  if (found.is_over())
    return has_ended(found);
  auto request = request_from_stored(found);
  if (!request)
    return give_up_recovery(request.error(), true);
  is_in_journal_ = true;
  // Whoever wants to read along is to find it.
  request->is_logged = true;
  key_hash_ = request->key_hash;
  take_log(std::get<recover_job>(jobs_.front()).observer, true);
  std::vector<json> records;
  for (const auto& text : found.records) {
    auto record = parse_json(text, defaults::journal_depth);
    if (!record)
      return give_up_recovery(record.error(), true);
    records.push_back(std::move(*record));
  }
  auto known = run::fold(records);
  if (!known)
    return give_up_recovery(known.error(), true);
  run::journaled_run folded;
  if (*known)
    folded = std::move(**known);
  if (const auto& cancelled = std::get<recover_job>(jobs_.front()).cancelled)
    folded.cancelled = cancelled;
  if (found.status == "waiting")
    return take_up_waiting(std::move(*request), folded.cancelled);
  take_up_run(found, *request, std::move(folded));
}

void session_state::has_ended(const stored_run& found) {
  auto record = record_from_stored(found);
  if (!record)
    return give_up_recovery(record.error(), true);
  self_->send(parent_, finished_atom::value,
              run_record_ptr(std::make_shared<const run_record>(std::move(*record))));
  done();
}

void session_state::take_up_waiting(chat_request&& request, const std::optional<error>& cancelled) {
  const auto& wanted = std::get<recover_job>(jobs_.front());
  prompt_job waiting{std::move(request), wanted.observer, {}};
  waiting.is_accepted = true;
  waiting.is_answered = true;
  // Who asks again learns at once that it is there.
  waiting.is_certain = true;
  waiting.taken_up = wanted;
  if (waiting.request.within)
    waiting.deadline = self_->clock().now() + *waiting.request.within;
  if (cancelled && !cancelled_)
    cancelled_ = {*cancelled, cancel_mode::at_once};
  jobs_.front() = std::move(waiting);
  start(std::get<prompt_job>(jobs_.front()));
}

void session_state::take_up_run(const stored_run& found, const chat_request& request,
                                run::journaled_run&& known) {
  was_paused_ = paused_ && paused_->run_id == run_id_;
  // What the user said; what else seems to be the run's is of another process's.
  saved_ = std::min({found.items.size(), items_->size(), was_paused_ ? paused_->saved : 1});
  has_saved_loaded_ = true;
  spending_ = request.spending;
  if (was_paused_)
    spending_ = paused_->spending;
  auto others = std::make_shared<item_list>(*items_);
  const auto own = found.items.begin() + static_cast<std::ptrdiff_t>(saved_);
  const auto place = std::find_end(others->begin(), others->end(), found.items.begin(), own);
  if (place != others->end())
    others->erase(place, place + static_cast<std::ptrdiff_t>(saved_));
  const auto past = recent(std::move(others));
  travelling_run run;
  run.state = std::move(known.run);
  if (!run.state.is_interrupted && was_paused_) {
    // It was to go on, and had not yet.
    run.state = *paused_->state;
  } else if (!run.state.is_interrupted) {
    run.state = run::begin(past, request.prompt, environment_->limits, request.context);
    run.state.always_approved = approved_;
    // As guardrails left it.
    if (saved_ > 0)
      run.state.fresh.assign(found.items.begin(), own);
  }
  run.state.past = past;
  run.state.bounds = environment_->limits;
  std::optional<error> ending = known.cancelled;
  if (!ending && known.crashes > environment_->max_takeovers)
    ending = fail(errc::internal,
                  fmt::format("the server crashed {} times while this run was under way", known.crashes));
  auto wanted_agent = run.state.agent ? run.state.agent->name : request.agent;
  if (wanted_agent.empty())
    wanted_agent = environment_->agents->contains(agent_) ? agent_ : environment_->default_agent;
  const auto agent = environment_->agents->find(wanted_agent);
  if (!ending && agent == environment_->agents->end())
    ending = fail(errc::unknown_agent, fmt::format("there is no agent '{}' any more", wanted_agent));
  if (ending) {
    if (!run.state.agent) {
      auto nameless = std::make_shared<agent_definition>();
      nameless->name = wanted_agent;
      run.state.agent = std::move(nameless);
    }
    return run_ended(close_paused(run.state, *ending));
  }
  log().info("session '{}': the run '{}' goes on, which was under way when the server ended", id_, run_id_);
  const auto under_way = run::agents_under_way(run.state);
  void_events(found, under_way,
              [this, agent = agent->second, run = std::move(run), streamed = request.streamed,
               within = request.within](run_change&& change, run_taken_up&& news) mutable {
                change.records.push_back(dump_json(run::takeover_record()));
                // Its number is taken before any other's is given back.
                if (log_)
                  caf::anon_send(observer_actor(log_), run_event(std::move(news)));
                session_append addition;
                addition.run = std::move(change);
                ask<acknowledgement>(
                    self_, journal(), defaults::store_timeout,
                    [this, agent, run = std::move(run), streamed, within](acknowledgement) mutable {
                      if (cancelled_)
                        return run_ended(close_paused(run.state, cancelled_->first));
                      const auto observer = log_ ? observer_actor(log_) : observer_actor();
                      send_off(agent, std::move(run), spending_, streamed, observer, within);
                    },
                    [this](const caf::error& reason) { give_up_recovery(from_caf(reason), false); },
                    std::move(addition));
              });
}

namespace {

/// The run inside whose records say what of an event's run is known: its own, or if that is over the one that
/// waited for it.
std::string run_that_knows(std::string path, const std::set<std::string>& under_way) {
  while (!path.empty() && !under_way.contains(path))
    path.resize(path.find('/') == std::string::npos ? 0 : path.rfind('/'));
  return path;
}

} // namespace

void session_state::void_events(const stored_run& found, const std::set<std::string>& under_way,
                                std::function<void(run_change&&, run_taken_up&&)> go_on) {
  // By the run inside, the last event before its last step.
  std::map<std::string, std::uint64_t> known{{"", 0}};
  for (std::size_t i = 0; i < found.records.size(); ++i)
    if (const auto record = parse_json(found.records[i], defaults::journal_depth))
      if (find(*record, "takeover") == nullptr && find(*record, "cancelled") == nullptr) {
        const auto* path = find_string(*record, "path");
        known[path != nullptr ? *path : std::string()] = found.events_before[i];
      }
  run_change change{run_id_};
  run_taken_up news{run_id_, id_, {}};
  if (found.last_event == 0)
    return go_on(std::move(change), std::move(news));
  ask<stored_events_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [go_on, known = std::move(known), under_way, change, news](const stored_events_ptr& events) mutable {
        for (const auto& each : *events) {
          const auto event = event_from_stored(each.text);
          const auto since = known.find(run_that_knows(event.path, under_way));
          if ((since != known.end() && each.number <= since->second) || event.name == "run_resumed")
            continue;
          change.void_events.push_back(each.number);
          auto& ranges = news.discarded;
          if (!ranges.empty() && ranges.back().second + 1 == each.number)
            ranges.back().second = each.number;
          else
            ranges.emplace_back(each.number, each.number);
        }
        go_on(std::move(change), std::move(news));
      },
      [this](const caf::error& reason) { give_up_recovery(from_caf(reason), false); }, events_atom::value,
      run_id_, std::uint64_t{0}, std::uint64_t{defaults::longest_log});
}

bool session_state::plan_recovery(const error& reason) {
  auto* wanted = std::get_if<recover_job>(&jobs_.front());
  if (wanted == nullptr || is_shutdown() || !helps_to_wait(reason.code))
    return false;
  const auto pause = std::min<std::chrono::milliseconds>(defaults::recovery_pause * (1 << wanted->tries),
                                                         defaults::longest_recovery_pause);
  wanted->tries = std::min(wanted->tries + 1, defaults::recovery_doublings);
  log().warn("session '{}': the run '{}' cannot go on now, but is tried again in {} ms: {}", id_, run_id_,
             pause.count(), reason.detail);
  self_->delayed_send(self_, pause, again_atom::value, run_id_);
  return true;
}

void session_state::again(const std::string& run_id) {
  if (!busy_ || run_id != run_id_)
    return;
  if (ending_)
    return write_end();
  if (!std::holds_alternative<recover_job>(jobs_.front()))
    return;
  if (loaded_)
    start();
  else
    load();
}

void session_state::give_up_recovery(const error& reason, bool is_damaged) {
  if (!is_damaged && plan_recovery(reason))
    return;
  log().error("session '{}': the run '{}' cannot go on: {}", id_, run_id_, reason.detail);
  auto record = std::make_shared<run_record>();
  record->run_id = run_id_;
  record->session_id = id_;
  record->owner = owner_.value_or("");
  record->status = run_status::failed;
  record->failure = reason;
  if (is_damaged) {
    session_append addition{id_, {}, {}};
    addition.unpauses = paused_ && paused_->run_id == run_id_;
    addition.run = run_change{run_id_};
    addition.run->ended = to_stored(*record);
    // What is left of it stays to be looked at.
    addition.run->ended->keeps_records = true;
    write(std::move(addition));
    forget();
  }
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
  done();
}

} // namespace troupe
