#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/metrics/measures.hpp"
#include "actors/session.hpp"
#include "libagent/run/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// How each job of a session begins.
namespace troupe {

shared_items session_state::recent(shared_items all) const {
  const auto size = all->size();
  auto left = run::newest_items(std::move(all), environment_->max_history_items);
  if (environment_->measures && left && left->size() < size)
    environment_->measures->cut_histories.add();
  return left;
}

void session_state::load() {
  if (environment_->takes_up_left && !is_stopping_ && !std::exchange(has_looked_, false))
    return look_for_left();
  ask<session_record_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this](const session_record_ptr& record) {
        items_ = std::make_shared<item_list>(record->items);
        agent_ = record->agent;
        owner_ = record->owner;
        used_ = record->used;
        approved_ = record->approved;
        if (record->paused) {
          auto paused = from_stored(*record->paused);
          if (!paused && is_of_newer_version(*record->paused))
            return fail_run(paused.error());
          if (!paused)
            return end_damaged(record->paused->run_id, paused.error());
          paused_ = std::move(*paused);
        }
        has_loaded();
      },
      [this](const caf::error& reason) {
        const auto why = from_caf(reason);
        if (why.code != errc::unknown_session)
          return fail_run(why);
        has_loaded();
      },
      info_atom::value, id_);
}

void session_state::has_loaded() {
  loaded_ = true;
  const auto kind = jobs_.front().index();
  make_way_for_waiting();
  if (jobs_.front().index() != kind) {
    // What is in its way comes first.
    busy_ = false;
    next();
  } else {
    start();
  }
  accept_waiting();
}

void session_state::start() {
  std::visit([this](auto& wanted) { start(wanted); }, jobs_.front());
}

void session_state::start(prompt_job& wanted) {
  loaded_ = true;
  auto& request = wanted.request;
  run_id_ = request.run_id;
  is_in_journal_ = wanted.is_accepted;
  key_hash_ = request.key_hash;
  take_log(wanted.observer, request.is_logged);
  // What was accepted may be there.
  if (!wanted.is_accepted && !may_see(request.by))
    return fail_run(unknown());
  if (cancelled_)
    return fail_run(cancelled_->first);
  if (is_held(jobs_.front()))
    return hold();
  if (paused_)
    return look_at_blocker(wanted);
  if (wanted.deadline && *wanted.deadline <= self_->clock().now())
    return fail_run(fail(errc::deadline_exceeded, "the prompt's time was over before its session was free"));
  auto wanted_agent = request.agent;
  // An agent that the session knew may be gone from the agent file since.
  if (wanted_agent.empty())
    wanted_agent = environment_->agents->contains(agent_) ? agent_ : environment_->default_agent;
  const auto agent = environment_->agents->find(wanted_agent);
  if (agent == environment_->agents->end())
    return fail_run(fail(errc::unknown_agent, fmt::format("there is no agent '{}'", wanted_agent)));
  travelling_run run;
  run.state = run::begin(recent(items_), request.prompt, environment_->limits, request.context);
  run.state.always_approved = approved_;
  saved_ = 0;
  save_failure_.reset();
  spending_ = request.spending;
  if (!owner_)
    owner_ = request.by.subject;
  const bool has_input = !environment_->rewriting_agents.contains(wanted_agent);
  if (environment_->is_journaled)
    return begin_run(agent->second, std::move(run), has_input);
  if (has_input)
    save_input(run);
  is_certain(wanted, id_);
  std::optional<std::chrono::milliseconds> within;
  if (wanted.deadline)
    within = std::chrono::ceil<std::chrono::milliseconds>(*wanted.deadline - self_->clock().now());
  send_off(agent->second, std::move(run), spending_, request.streamed, wanted.observer, within);
}

void session_state::start(resume_job& wanted) {
  run_id_ = wanted.request.run_id;
  take_log(wanted.observer, wanted.request.is_logged);
  if (!may_see(wanted.request.by))
    return deliver(to_caf(unknown_run(run_id_)));
  if (!paused_ || paused_->run_id != run_id_)
    return deliver(to_caf(fail(errc::conflict, fmt::format("the run '{}' is not paused", run_id_))));
  if (cancelled_) {
    jobs_.insert(jobs_.begin() + 1, drop_job{run_id_, cancelled_->first, true});
    return deliver(to_caf(cancelled_->first));
  }
  if (auto fits = run::check_decisions(*paused_->state, wanted.request.decisions); !fits)
    return stay_paused(fits.error());
  const auto agent = environment_->agents->find(paused_->state->agent->name);
  if (agent == environment_->agents->end())
    return stay_paused(fail(errc::unknown_agent,
                            fmt::format("there is no agent '{}' any more", paused_->state->agent->name)));
  travelling_run run;
  run.state = *paused_->state;
  run.decisions = std::move(wanted.request.decisions);
  run.state.bounds = environment_->limits;
  const auto own = static_cast<std::ptrdiff_t>(std::min(paused_->saved, items_->size()));
  run.state.past = recent(std::make_shared<const item_list>(items_->begin(), items_->end() - own));
  saved_ = paused_->saved;
  was_paused_ = true;
  has_saved_loaded_ = true;
  is_in_journal_ = environment_->is_journaled;
  spending_ = paused_->spending;
  auto record = std::make_shared<run_record>(paused_record());
  record->status = run_status::running;
  record->interruptions.clear();
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
  send_off(agent->second, std::move(run), spending_, wanted.request.streamed, wanted.observer);
}

void session_state::stay_paused(const error& reason) {
  self_->send(parent_, finished_atom::value,
              run_record_ptr(std::make_shared<const run_record>(paused_record())));
  deliver(to_caf(reason));
}

void session_state::deliver(caf::error reason) {
  std::visit(
      [&reason](auto& each) {
        if constexpr (requires { each.promise; })
          each.promise.deliver(std::move(reason));
      },
      jobs_.front());
  done();
}

void session_state::deliver(chat_reply&& reply) {
  std::visit(
      [&reply](auto& each) {
        if constexpr (requires {
                        each.observer;
                        each.promise;
                      })
          each.promise.deliver(std::move(reply));
      },
      jobs_.front());
  done();
}

void session_state::start(const show_job& wanted) {
  auto promise = wanted.promise;
  if (damaged_ && damaged_->run_id == wanted.run_id && may_see(wanted.by))
    promise.deliver(damaged_);
  else if (!paused_ || paused_->run_id != wanted.run_id || !may_see(wanted.by))
    promise.deliver(to_caf(unknown_run(wanted.run_id)));
  else
    promise.deliver(run_record_ptr(std::make_shared<const run_record>(paused_record())));
  done();
}

void session_state::start(const erase_job& wanted) {
  if (!may_see(wanted.by))
    return deliver(to_caf(unknown()));
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout,
      [this, promise = wanted.promise, held = held_runs()](acknowledgement) mutable {
        promise.deliver(acknowledgement{});
        // What was accepted meanwhile went with it.
        for (auto& each : jobs_)
          if (auto* prompt = std::get_if<prompt_job>(&each))
            prompt->is_accepted = false;
        // So did what came before, and waited for somebody's word.
        refuse(held, fail(errc::cancelled, "the session was erased"));
        self_->send(parent_, erase_atom::value, id_, acknowledgement{});
        done();
      },
      [this](const caf::error& reason) { deliver(to_caf(from_caf(reason))); }, erase_atom::value, id_);
  forget();
}

/// The run's history is closed as that of any cancelled run.
void session_state::start(const drop_job& wanted) {
  if (!paused_ || paused_->run_id != wanted.run_id)
    return done();
  run_id_ = wanted.run_id;
  was_paused_ = true;
  has_saved_loaded_ = true;
  is_in_journal_ = environment_->is_journaled;
  rolls_back_ = wanted.rolls_back;
  saved_ = paused_->saved;
  run_ended(close_paused(*paused_->state, wanted.reason));
}

} // namespace troupe
