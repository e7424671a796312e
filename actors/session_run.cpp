#include "actors/ask.hpp"
#include "actors/budget.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/session.hpp"
#include "actors/stored_run_json.hpp"
#include "libagent/run/takeovers.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace troupe {

namespace {

/// Whether an actor has to keep account; the wall time is a deadline.
bool needs_ledger(budget spending) {
  spending.wall_time.reset();
  return spending.is_bounded();
}

/// What a run that its budget ended has produced so far goes with the error.
void add_produced(error& reason, const run_outcome& outcome) {
  auto facts = reason.facts ? *reason.facts : json::object();
  facts["items"] = to_json(outcome.items);
  facts["usage"] = to_json(outcome.used);
  reason.facts = std::make_shared<const json>(std::move(facts));
}

} // namespace

void session_state::save_input(const travelling_run& run) {
  saved_ = 1;
  session_append addition{id_, {}, {run.state.fresh.front()}};
  addition.owner = owner_.value_or("");
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout, [](acknowledgement) {},
      [this](const caf::error& reason) { save_failure_ = from_caf(reason); }, std::move(addition));
}

void session_state::send_off(const agent_actor& agent, travelling_run&& run, budget spending, bool streamed,
                             const observer_actor& observer,
                             std::optional<std::chrono::milliseconds> wanted_time) {
  spending = tighter(spending, environment_->run_budget);
  spending.wall_time = tighter(spending, environment_->session_budget).wall_time;
  const auto own = was_paused_ || run.state.is_interrupted ? run::spent_by(run.state) : usage_report();
  auto whole = used_;
  whole += own;
  auto within = environment_->run_timeout;
  if (spending.wall_time && *spending.wall_time < within) {
    within = *spending.wall_time;
    run.wall_time = within;
  }
  if (wanted_time)
    within = std::min(within, std::max(*wanted_time, std::chrono::milliseconds(1)));
  run_company company;
  company.observer = observer;
  company.owner = run_owner_actor(self_);
  company.streamed = streamed;
  if (environment_->is_journaled) {
    company.journal = journal();
    company.journal_id = run_id_;
  }
  const auto& session_budget = environment_->session_budget;
  run.state.has_budget = needs_ledger(spending) || needs_ledger(session_budget);
  if (run.state.has_budget)
    company.ledger = self_->spawn(
        budget_behavior, ledger({{"run", spending, own}, {"session", session_budget, std::move(whole)}},
                                environment_->prices, environment_->dearest));
  run.deadline = self_->clock().now() + within;
  run.company = std::make_shared<const run_company>(std::move(company));
  run.run_id = run_id_;
  run.session_id = id_;
  ask<run_outcome>(
      self_, agent, within + defaults::run_answer_grace,
      [this](run_outcome& outcome) { run_ended(std::move(outcome)); },
      [this](const caf::error& reason) { lose_run(from_caf(reason)); }, std::move(run));
}

run_outcome session_state::close_paused(const run::state& paused, const error& reason) {
  auto state = paused;
  // It had not come to any.
  if (!state.agent)
    state.agent = std::make_shared<const agent_definition>();
  run_outcome outcome;
  run::step(state, run::stopped{reason});
  outcome.used = std::move(state.used);
  outcome.approved = std::move(state.always_approved);
  outcome.agent = state.agent->name;
  outcome.items = std::move(state.fresh);
  outcome.failure = reason;
  return outcome;
}

void session_state::run_ended(run_outcome&& outcome) {
  carrier_ = nullptr;
  // The cancellation came when there was nothing left to tell it to.
  if (cancelled_ && outcome.paused && !is_shutdown())
    outcome = close_paused(*outcome.paused, cancelled_->first);
  // It goes on when there is a server again.
  if (is_in_journal_ && is_shutdown() && outcome.failure && outcome.failure->code == errc::shutting_down)
    return interrupt(*outcome.failure);
  is_rolled_back_ = rolls_back_ && !outcome.paused;
  pausing_.reset();
  if (outcome.paused)
    // By now its guardrails have seen what the user said.
    pausing_ = paused_session_run{run_id_, outcome.paused, spending_, std::max<std::size_t>(saved_, 1)};
  else if (!outcome.failure && !is_rolled_back_)
    agent_ = outcome.agent;
  ending_ = std::move(outcome);
  end_until_ = self_->clock().now() + defaults::unwritten_end_patience;
  write_end();
}

session_append session_state::end_of(const run_outcome& outcome) const {
  session_append addition{id_, {}, {}};
  addition.approved = outcome.approved;
  addition.unpauses = was_paused_;
  addition.owner = owner_.value_or("");
  if (is_rolled_back_) {
    addition.takes_back = saved_;
    addition.used = outcome.used;
  } else if (outcome.paused) {
    addition.items.assign(outcome.items.begin() + static_cast<std::ptrdiff_t>(saved_),
                          outcome.items.begin() + static_cast<std::ptrdiff_t>(pausing_->saved));
    addition.paused = to_stored(*pausing_);
  } else {
    addition.agent = agent_;
    addition.items.assign(outcome.items.begin() +
                              static_cast<std::ptrdiff_t>(std::min(saved_, outcome.items.size())),
                          outcome.items.end());
    addition.used = outcome.used;
  }
  if (is_in_journal_) {
    addition.run = run_change{run_id_};
    addition.run->ended =
        outcome.paused ? run_ending{"paused", {}} : to_stored(record_of_end(outcome, outcome.failure));
  }
  return addition;
}

void session_state::write_end() {
  ask<acknowledgement>(
      self_, journal(), defaults::store_timeout,
      [this](acknowledgement) { stored(std::move(*std::exchange(ending_, std::nullopt))); },
      [this](const caf::error& reason) { end_not_written(from_caf(reason)); }, end_of(*ending_));
}

void session_state::end_not_written(const error& reason) {
  if (!may_pass(reason.code) || is_shutdown() || self_->clock().now() >= end_until_) {
    ending_.reset();
    return lose_run(reason);
  }
  log().warn("session '{}': how the run '{}' ended cannot be written now, and is tried again: {}", id_,
             run_id_, reason.detail);
  self_->delayed_send(self_, defaults::unwritten_end_pause, again_atom::value, run_id_);
}

void session_state::stored(run_outcome&& outcome) {
  if (items_.use_count() > 1)
    items_ = std::make_shared<item_list>(*items_);
  else
    // Whoever let go last has read before that.
    std::atomic_thread_fence(std::memory_order_acquire);
  const auto known = has_saved_loaded_ ? saved_ : 0;
  const auto upto = outcome.paused ? pausing_->saved : outcome.items.size();
  if (is_rolled_back_)
    items_->resize(items_->size() - std::min(items_->size(), known));
  else if (known < upto)
    items_->insert(items_->end(), outcome.items.begin() + static_cast<std::ptrdiff_t>(known),
                   outcome.items.begin() + static_cast<std::ptrdiff_t>(upto));
  approved_.insert(outcome.approved.begin(), outcome.approved.end());
  paused_ = std::exchange(pausing_, std::nullopt);
  if (!outcome.paused)
    used_ += outcome.used;
  if (save_failure_)
    return lose_run(*std::exchange(save_failure_, std::nullopt));
  report(outcome, outcome.failure);
  if (outcome.failure) {
    tell_failure(*outcome.failure);
    if (outcome.failure->code == errc::budget_exceeded && !is_rolled_back_)
      add_produced(*outcome.failure, outcome);
    return deliver(to_caf(*outcome.failure));
  }
  chat_reply reply{std::move(outcome.output), id_,    std::move(outcome.agent), std::move(outcome.items),
                   std::move(outcome.used),   run_id_};
  reply.structured = std::move(outcome.structured);
  if (outcome.paused) {
    reply.status = run_status::paused;
    reply.used = run::spent_by(*outcome.paused);
    reply.interruptions = run::interruptions(*outcome.paused);
  }
  reply.cost = cost_of(reply.used, environment_->prices);
  if (outcome.paused && cancelled_ && !is_shutdown())
    jobs_.insert(jobs_.begin() + 1, drop_job{run_id_, cancelled_->first, true, rolls_back_});
  deliver(std::move(reply));
}

run_record session_state::record_of_end(const run_outcome& outcome, std::optional<error> failure) const {
  run_record record;
  record.run_id = run_id_;
  record.session_id = id_;
  record.owner = owner_.value_or("");
  record.key_hash = key_hash_;
  record.status = !failure                           ? run_status::completed
                  : failure->code == errc::cancelled ? run_status::cancelled
                                                     : run_status::failed;
  record.agent = outcome.agent;
  record.result = outcome.output;
  record.structured = outcome.structured;
  record.items = outcome.items;
  record.used = outcome.used;
  record.failure = std::move(failure);
  record.cost = cost_of(record.used, environment_->prices);
  return record;
}

void session_state::report(const run_outcome& outcome, std::optional<error> failure) {
  const bool is_paused = outcome.paused && !failure;
  auto record =
      std::make_shared<run_record>(is_paused ? paused_record() : record_of_end(outcome, std::move(failure)));
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
}

void session_state::interrupt(const error& reason) {
  log().info("session '{}': the run '{}' goes on when the server is back", id_, run_id_);
  const auto leave = [this, reason] {
    report({}, reason);
    forget();
    deliver(to_caf(reason));
  };
  session_append addition;
  addition.run = run_change{run_id_};
  addition.run->records.push_back(dump_json(run::handover_record()));
  ask<acknowledgement>(
      self_, journal(), defaults::store_timeout, [leave](acknowledgement) { leave(); },
      [this, leave](const caf::error& why) {
        log().warn(
            "session '{}': the next server will take the run '{}' for one that this one crashed by: {}", id_,
            run_id_, from_caf(why).detail);
        leave();
      },
      std::move(addition));
}

void session_state::tell_failure(const error& reason) const {
  const auto* prompt = std::get_if<prompt_job>(&jobs_.front());
  const bool is_left =
      std::holds_alternative<recover_job>(jobs_.front()) || (prompt != nullptr && prompt->taken_up);
  if (reason.code == errc::cancelled)
    log().info("session '{}': the run '{}' was cancelled: {}", id_, run_id_, reason.detail);
  else if (is_left && reason.code == errc::unknown_agent)
    log().warn(
        "session '{}': the run '{}', which was left unfinished, has failed for the agent file has changed: "
        "{}",
        id_, run_id_, reason.detail);
  else
    log().info("session '{}': the run '{}' failed: {}: {}", id_, run_id_, to_string(reason.code),
               reason.detail);
}

run_record session_state::paused_record() const {
  auto record = record_of(*paused_, id_);
  record.owner = owner_.value_or("");
  record.key_hash = key_hash_;
  record.cost = cost_of(record.used, environment_->prices);
  return record;
}

void session_state::report_unbegun(const chat_request& request, const error& reason) {
  auto record = std::make_shared<run_record>();
  record->run_id = request.run_id;
  record->session_id = id_;
  record->owner = request.by.subject;
  record->key_hash = request.key_hash;
  record->status = reason.code == errc::cancelled ? run_status::cancelled : run_status::failed;
  record->failure = reason;
  record->is_refused = reason.code == errc::overloaded || reason.code == errc::conflict ||
                       reason.code == errc::shutting_down || may_pass(reason.code);
  auto* known = find_prompt(request.run_id);
  if (known != nullptr)
    for (auto& each : std::exchange(known->again, {}))
      each.deliver(to_caf(reason));
  if (known != nullptr && known->is_accepted && reason.code != errc::shutting_down) {
    run_change change{request.run_id};
    change.ended = to_stored(*record);
    write(std::move(change));
  }
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
}

void session_state::forget() {
  loaded_ = false;
  items_ = std::make_shared<item_list>();
  agent_.clear();
  owner_.reset();
  used_ = {};
  approved_.clear();
  paused_.reset();
  pausing_.reset();
  save_failure_.reset();
}

void session_state::lose_run(error reason) {
  // It may still be going.
  if (carrier_)
    self_->send(carrier_, cancel_atom::value, reason);
  carrier_ = nullptr;
  log().warn("session '{}': the run '{}' is lost: {}: {}", id_, run_id_, to_string(reason.code),
             reason.detail);
  if (was_paused_ && paused_)
    self_->send(parent_, finished_atom::value,
                run_record_ptr(std::make_shared<const run_record>(paused_record())));
  else
    report({}, reason);
  // Else it would come back after a restart, though its end was told; after a shutdown it is to.
  if (is_in_journal_ && !was_paused_ && !is_shutdown() && reason.code != errc::conflict) {
    run_change change{run_id_};
    change.ended = to_stored(record_of_end({}, reason));
    self_->send(environment_->store, finished_atom::value, std::move(change));
  }
  forget();
  deliver(to_caf(reason));
}

void session_state::fail_run(error reason) {
  carrier_ = nullptr;
  const auto& front = jobs_.front();
  if (const auto* prompt = std::get_if<prompt_job>(&front)) {
    tell_failure(reason);
    report_unbegun(prompt->request, reason);
  } else if (std::holds_alternative<resume_job>(front) && was_paused_) {
    tell_failure(reason);
    report({}, reason);
  } else if (std::holds_alternative<recover_job>(front)) {
    return give_up_recovery(reason, false);
  }
  deliver(to_caf(reason));
}

} // namespace troupe
