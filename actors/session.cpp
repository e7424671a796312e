#include "actors/session.hpp"

#include "actors/ask.hpp"
#include "actors/budget.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace troupe {

namespace {

error gone() {
  return fail(errc::shutting_down, "the session's actor ended before the run did");
}

error waits_for_approval(const std::string& run_id) {
  auto reason =
      fail(errc::conflict,
           fmt::format("the session's run '{}' waits for a decision: resume or cancel it first", run_id));
  reason.facts = std::make_shared<const json>(json{{"run_id", run_id}});
  return reason;
}

/// Whether an actor has to keep account; the wall time is a deadline.
bool needs_ledger(budget spending) {
  spending.wall_time.reset();
  return spending.is_bounded();
}

} // namespace

session_state::~session_state() {
  for (auto& waiting : jobs_)
    std::visit(
        [](auto& each) {
          if constexpr (requires { each.promise; })
            each.promise.deliver(to_caf(gone()));
        },
        waiting);
}

void session_state::begin(std::string id, session_environment_ptr environment, sessions_actor parent) {
  id_ = std::move(id);
  environment_ = std::move(environment);
  parent_ = std::move(parent);
}

template <class Job, class Promise>
Promise session_state::enqueue(Job&& wanted, Promise promise) {
  if (jobs_.size() > environment_->max_queue) {
    ++handled_;
    const auto reason =
        fail(errc::overloaded, fmt::format("{} requests already wait for this session", jobs_.size() - 1));
    if constexpr (std::is_same_v<std::remove_cvref_t<Job>, prompt_job>)
      report_unbegun(wanted.request.run_id, reason);
    promise.deliver(to_caf(reason));
    return promise;
  }
  wanted.promise = promise;
  jobs_.emplace_back(std::forward<Job>(wanted));
  next();
  return promise;
}

caf::typed_response_promise<chat_reply> session_state::chat(chat_request&& request, observer_actor observer) {
  return enqueue(prompt_job{std::move(request), std::move(observer), {}},
                 self_->make_response_promise<chat_reply>());
}

caf::typed_response_promise<chat_reply> session_state::resume(resume_request&& request,
                                                              observer_actor observer) {
  return enqueue(resume_job{std::move(request), std::move(observer), {}},
                 self_->make_response_promise<chat_reply>());
}

caf::typed_response_promise<run_record_ptr> session_state::show(const std::string& run_id) {
  return enqueue(show_job{run_id, {}}, self_->make_response_promise<run_record_ptr>());
}

caf::typed_response_promise<acknowledgement> session_state::erase() {
  return enqueue(erase_job{}, self_->make_response_promise<acknowledgement>());
}

void session_state::next() {
  if (busy_ || jobs_.empty())
    return;
  busy_ = true;
  cancelled_.reset();
  const auto* prompt = std::get_if<prompt_job>(&jobs_.front());
  if (prompt != nullptr)
    run_id_ = prompt->request.run_id;
  if (loaded_ || (prompt != nullptr && prompt->request.is_new) ||
      std::holds_alternative<erase_job>(jobs_.front()))
    start();
  else
    load();
}

void session_state::load() {
  ask<session_record_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this](const session_record_ptr& record) {
        items_ = std::make_shared<item_list>(record->items);
        agent_ = record->agent;
        used_ = record->used;
        approved_ = record->approved;
        if (record->paused) {
          auto paused = from_stored(*record->paused);
          if (!paused)
            return fail_run(paused.error());
          paused_ = std::move(*paused);
        }
        loaded_ = true;
        start();
      },
      [this](const caf::error& reason) {
        const auto why = from_caf(reason);
        if (why.code != errc::unknown_session)
          return fail_run(why);
        loaded_ = true;
        start();
      },
      info_atom::value, id_);
}

void session_state::start() {
  std::visit([this](auto& wanted) { start(wanted); }, jobs_.front());
}

void session_state::start(prompt_job& wanted) {
  loaded_ = true;
  auto& request = wanted.request;
  run_id_ = request.run_id;
  if (cancelled_)
    return fail_run(cancelled_->first);
  if (paused_)
    return fail_run(waits_for_approval(paused_->run_id));
  auto wanted_agent = request.agent;
  // An agent that the session knew may be gone from the agent file since.
  if (wanted_agent.empty())
    wanted_agent = environment_->agents->contains(agent_) ? agent_ : environment_->default_agent;
  const auto agent = environment_->agents->find(wanted_agent);
  if (agent == environment_->agents->end())
    return fail_run(fail(errc::unknown_agent, fmt::format("there is no agent '{}'", wanted_agent)));
  travelling_run run;
  run.state = run::begin(items_, std::move(request.prompt), environment_->limits, std::move(request.context));
  run.state.always_approved = approved_;
  saved_ = 0;
  save_failure_.reset();
  was_paused_ = false;
  spending_ = request.spending;
  if (!environment_->rewriting_agents.contains(wanted_agent))
    save_input(run);
  send_off(agent->second, std::move(run), spending_, request.streamed, wanted.observer);
}

void session_state::start(resume_job& wanted) {
  run_id_ = wanted.request.run_id;
  if (!paused_ || paused_->run_id != run_id_)
    return deliver(to_caf(fail(errc::conflict, fmt::format("the run '{}' is not paused", run_id_))));
  if (auto fits = run::check_decisions(*paused_->state, wanted.request.decisions); !fits)
    return deliver(to_caf(fits.error()));
  const auto agent = environment_->agents->find(paused_->state->agent->name);
  if (agent == environment_->agents->end())
    return deliver(to_caf(fail(errc::unknown_agent,
                               fmt::format("there is no agent '{}' any more", paused_->state->agent->name))));
  travelling_run run;
  run.state = *paused_->state;
  run.decisions = std::move(wanted.request.decisions);
  run.state.bounds = environment_->limits;
  const auto own = static_cast<std::ptrdiff_t>(std::min(paused_->saved, items_->size()));
  run.state.past = std::make_shared<const item_list>(items_->begin(), items_->end() - own);
  saved_ = paused_->saved;
  was_paused_ = true;
  spending_ = paused_->spending;
  auto record = std::make_shared<run_record>(record_of(*paused_, id_));
  record->status = run_status::running;
  record->interruptions.clear();
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
  const auto left = left_of(tighter(spending_, environment_->run_budget), used_by(*paused_->state),
                            tool_calls_of(*paused_->state), environment_->prices);
  send_off(agent->second, std::move(run), left, wanted.request.streamed, wanted.observer);
}

void session_state::save_input(const travelling_run& run) {
  saved_ = 1;
  session_append addition{id_, {}, {run.state.fresh.front()}};
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout, [](acknowledgement) {},
      [this](const caf::error& reason) { save_failure_ = from_caf(reason); }, std::move(addition));
}

void session_state::send_off(const agent_actor& agent, travelling_run&& run, budget spending, bool streamed,
                             const observer_actor& observer) {
  spending = tighter(spending, environment_->run_budget);
  if (environment_->session_budget.is_bounded()) {
    auto used = used_;
    auto calls =
        static_cast<std::uint64_t>(std::count_if(items_->begin(), items_->end(), [](const item& entry) {
          return std::holds_alternative<tool_call>(entry);
        }));
    if (was_paused_) {
      used += used_by(run.state);
      calls += tool_calls_of(run.state);
    }
    spending = tighter(spending, left_of(environment_->session_budget, used, calls, environment_->prices));
  }
  auto within = environment_->run_timeout;
  if (spending.wall_time && *spending.wall_time < within) {
    within = *spending.wall_time;
    run.wall_time = within;
  }
  run_company company{observer, run_owner_actor(self_), {}, streamed, false};
  run.state.has_budget = needs_ledger(spending);
  if (run.state.has_budget)
    company.ledger = self_->spawn(budget_behavior, ledger(spending, environment_->prices));
  run.deadline = self_->clock().now() + within;
  run.company = std::make_shared<const run_company>(std::move(company));
  run.run_id = run_id_;
  run.session_id = id_;
  ask<run_outcome>(
      self_, agent, within + defaults::run_answer_grace,
      [this](run_outcome& outcome) { run_ended(std::move(outcome)); },
      [this](const caf::error& reason) { lose_run(from_caf(reason)); }, std::move(run));
}

void session_state::run_ended(run_outcome&& outcome) {
  carrier_ = nullptr;
  session_append addition{id_, {}, {}};
  addition.approved = outcome.approved;
  addition.unpauses = was_paused_;
  if (outcome.paused) {
    paused_ = paused_session_run{run_id_, outcome.paused, spending_, saved_};
    addition.paused = to_stored(*paused_);
  } else {
    if (was_paused_)
      paused_.reset();
    if (!outcome.failure)
      agent_ = outcome.agent;
    addition.agent = agent_;
    addition.items.assign(outcome.items.begin() +
                              static_cast<std::ptrdiff_t>(std::min(saved_, outcome.items.size())),
                          outcome.items.end());
    addition.used = outcome.used;
  }
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout,
      [this, outcome = std::move(outcome)](acknowledgement) mutable { stored(std::move(outcome)); },
      [this](const caf::error& reason) { lose_run(from_caf(reason)); }, std::move(addition));
}

void session_state::stored(run_outcome&& outcome) {
  if (items_.use_count() > 1)
    items_ = std::make_shared<item_list>(*items_);
  else
    // Whoever let go last has read before that.
    std::atomic_thread_fence(std::memory_order_acquire);
  // What was paused before has its saved items in there already.
  const auto known = was_paused_ ? saved_ : 0;
  const auto upto = outcome.paused ? saved_ : outcome.items.size();
  if (known < upto)
    items_->insert(items_->end(), outcome.items.begin() + static_cast<std::ptrdiff_t>(known),
                   outcome.items.begin() + static_cast<std::ptrdiff_t>(upto));
  approved_.insert(outcome.approved.begin(), outcome.approved.end());
  if (!outcome.paused)
    used_ += outcome.used;
  if (save_failure_)
    return lose_run(*std::exchange(save_failure_, std::nullopt));
  report(outcome, outcome.failure);
  if (outcome.failure) {
    log().info("session '{}': the run '{}' failed: {}: {}", id_, run_id_, to_string(outcome.failure->code),
               outcome.failure->detail);
    return deliver(to_caf(*outcome.failure));
  }
  chat_reply reply{std::move(outcome.output), id_,    std::move(outcome.agent), std::move(outcome.items),
                   std::move(outcome.used),   run_id_};
  reply.structured = std::move(outcome.structured);
  if (outcome.paused) {
    reply.status = run_status::paused;
    reply.used = used_by(*outcome.paused);
    reply.interruptions = run::interruptions(*outcome.paused);
  }
  deliver(std::move(reply));
}

void session_state::report(const run_outcome& outcome, std::optional<error> failure) {
  auto record = std::make_shared<run_record>();
  if (outcome.paused && !failure) {
    *record = record_of(*paused_, id_);
  } else {
    record->run_id = run_id_;
    record->session_id = id_;
    record->status = !failure                           ? run_status::completed
                     : failure->code == errc::cancelled ? run_status::cancelled
                                                        : run_status::failed;
    record->agent = outcome.agent;
    record->result = outcome.output;
    record->structured = outcome.structured;
    record->items = outcome.items;
    record->used = outcome.used;
    record->failure = std::move(failure);
  }
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
}

void session_state::report_unbegun(const std::string& run_id, const error& reason) {
  auto record = std::make_shared<run_record>();
  record->run_id = run_id;
  record->session_id = id_;
  record->status = reason.code == errc::cancelled ? run_status::cancelled : run_status::failed;
  record->failure = reason;
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
}

void session_state::forget() {
  loaded_ = false;
  items_ = std::make_shared<item_list>();
  agent_.clear();
  used_ = {};
  approved_.clear();
  paused_.reset();
}

void session_state::lose_run(error reason) {
  carrier_ = nullptr;
  log().warn("session '{}': the run '{}' is lost: {}: {}", id_, run_id_, to_string(reason.code),
             reason.detail);
  if (was_paused_ && paused_)
    self_->send(parent_, finished_atom::value,
                run_record_ptr(std::make_shared<const run_record>(record_of(*paused_, id_))));
  else
    report({}, reason);
  forget();
  deliver(to_caf(reason));
}

void session_state::fail_run(error reason) {
  carrier_ = nullptr;
  const auto& front = jobs_.front();
  if (std::holds_alternative<prompt_job>(front) ||
      (std::holds_alternative<resume_job>(front) && was_paused_)) {
    log().info("session '{}': the run '{}' failed: {}: {}", id_, run_id_, to_string(reason.code),
               reason.detail);
    report({}, reason);
  }
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
  if (auto* prompt = std::get_if<prompt_job>(&jobs_.front()))
    prompt->promise.deliver(std::move(reply));
  else
    std::get<resume_job>(jobs_.front()).promise.deliver(std::move(reply));
  done();
}

void session_state::start(const show_job& wanted) {
  auto promise = wanted.promise;
  if (!paused_ || paused_->run_id != wanted.run_id)
    promise.deliver(to_caf(fail(errc::unknown_run, fmt::format("there is no run '{}'", wanted.run_id))));
  else
    promise.deliver(run_record_ptr(std::make_shared<const run_record>(record_of(*paused_, id_))));
  done();
}

void session_state::start(const erase_job& wanted) {
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout,
      [this, promise = wanted.promise](acknowledgement) mutable {
        promise.deliver(acknowledgement{});
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
  saved_ = paused_->saved;
  auto state = *paused_->state;
  run_outcome outcome;
  outcome.used = used_by(state);
  run::step(state, run::stopped{wanted.reason});
  outcome.agent = state.agent->name;
  outcome.items = std::move(state.fresh);
  outcome.failure = wanted.reason;
  run_ended(std::move(outcome));
}

void session_state::done() {
  jobs_.pop_front();
  busy_ = false;
  ++handled_;
  if (jobs_.empty())
    self_->send(parent_, finished_atom::value, id_, handled_);
  else
    next();
}

void session_state::cancel(const std::string& run_id, const error& reason, cancel_mode mode) {
  const auto concerns = [&run_id](const job& each) {
    if (const auto* prompt = std::get_if<prompt_job>(&each))
      return run_id.empty() || prompt->request.run_id == run_id;
    const auto* resumed = std::get_if<resume_job>(&each);
    return resumed != nullptr && (run_id.empty() || resumed->request.run_id == run_id);
  };
  bool found = false;
  bool drops = false;
  if (busy_ && concerns(jobs_.front())) {
    found = true;
    cancelled_ = {reason, mode};
    if (carrier_)
      self_->send(carrier_, cancel_atom::value, reason, mode);
  }
  for (auto waiting = jobs_.begin() + (busy_ ? 1 : 0); waiting != jobs_.end();) {
    if (!concerns(*waiting)) {
      ++waiting;
      continue;
    }
    found = true;
    if (const auto* prompt = std::get_if<prompt_job>(&*waiting))
      report_unbegun(prompt->request.run_id, reason);
    // The run that was to go on is still there.
    drops = drops || std::holds_alternative<resume_job>(*waiting);
    std::visit(
        [&reason](auto& each) {
          if constexpr (requires { each.promise; })
            each.promise.deliver(to_caf(reason));
        },
        *waiting);
    ++handled_;
    waiting = jobs_.erase(waiting);
  }
  // To cancel all is the parent's own word; it does not count it among what it passed on.
  if (run_id.empty())
    return;
  if (found && !drops) {
    ++handled_;
    return;
  }
  jobs_.emplace_back(drop_job{run_id, reason});
  next();
}

void session_state::run_moved(const std::string& run_id, const caf::strong_actor_ptr& to) {
  if (!busy_ || run_id != run_id_)
    return;
  carrier_ = caf::actor_cast<run_actor>(to);
  // The cancellation may have missed the run on its way.
  if (cancelled_)
    self_->send(carrier_, cancel_atom::value, cancelled_->first, cancelled_->second);
}

session_actor::behavior_type session_behavior(session_actor::stateful_pointer<session_state> self,
                                              std::string id, session_environment_ptr environment,
                                              sessions_actor parent) {
  self->state.begin(std::move(id), std::move(environment), std::move(parent));
  return {
      [self](chat_request& request, const observer_actor& observer) {
        return self->state.chat(std::move(request), observer);
      },
      [self](resume_request& request, const observer_actor& observer) {
        return self->state.resume(std::move(request), observer);
      },
      [self](run_atom, const std::string& run_id) { return self->state.show(run_id); },
      [self](erase_atom) { return self->state.erase(); },
      [self](cancel_atom, const std::string& run_id, const error& reason, cancel_mode mode) {
        self->state.cancel(run_id, reason, mode);
      },
      [self](moved_atom, const std::string& run_id, const caf::strong_actor_ptr& to) {
        self->state.run_moved(run_id, to);
      },
  };
}

} // namespace troupe
