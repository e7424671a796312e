#include "actors/session.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"

#include <fmt/format.h>

#include <atomic>

namespace troupe {

namespace {
error gone() {
  return fail(errc::shutting_down, "the session's actor ended before the run did");
}
} // namespace

session_state::~session_state() {
  for (auto& waiting : jobs_)
    std::visit([](auto& j) { j.promise.deliver(to_caf(gone())); }, waiting);
}

void session_state::begin(std::string id, session_environment_ptr environment, sessions_actor parent) {
  id_ = std::move(id);
  environment_ = std::move(environment);
  parent_ = std::move(parent);
}

caf::typed_response_promise<chat_reply> session_state::chat(chat_request&& request, observer_actor observer) {
  auto promise = self_->make_response_promise<chat_reply>();
  if (jobs_.size() > environment_->max_queue) {
    ++handled_;
    promise.deliver(to_caf(
        fail(errc::overloaded, fmt::format("{} prompts already wait for this session", jobs_.size() - 1))));
    return promise;
  }
  jobs_.emplace_back(prompt_job{std::move(request), std::move(observer), promise});
  next();
  return promise;
}

caf::typed_response_promise<acknowledgement> session_state::erase() {
  auto promise = self_->make_response_promise<acknowledgement>();
  if (jobs_.size() > environment_->max_queue) {
    ++handled_;
    promise.deliver(to_caf(fail(errc::overloaded, "too much waits for this session already")));
    return promise;
  }
  jobs_.emplace_back(erase_job{promise});
  next();
  return promise;
}

void session_state::next() {
  if (busy_ || jobs_.empty())
    return;
  busy_ = true;
  cancelled_.reset();
  if (std::holds_alternative<erase_job>(jobs_.front()))
    erase_now();
  else if (loaded_ || current_prompt().request.is_new)
    run_prompt();
  else
    load_then(&session_state::run_prompt);
}

void session_state::load_then(void (session_state::*go_on)()) {
  self_->request(environment_->store, defaults::store_timeout, info_atom::value, id_)
      .then(
          [this, go_on](const session_record_ptr& record) {
            items_ = std::make_shared<item_list>(record->items);
            agent_ = record->agent;
            loaded_ = true;
            (this->*go_on)();
          },
          [this, go_on](const caf::error& reason) {
            const auto why = from_caf(reason);
            if (why.code != errc::unknown_session)
              return fail_prompt(why);
            loaded_ = true;
            (this->*go_on)();
          });
}

void session_state::run_prompt() {
  loaded_ = true;
  auto& request = current_prompt().request;
  auto wanted = request.agent;
  // An agent that the session knew may be gone from the agent file since.
  if (wanted.empty())
    wanted = environment_->agents->contains(agent_) ? agent_ : environment_->default_agent;
  const auto agent = environment_->agents->find(wanted);
  if (agent == environment_->agents->end())
    return fail_prompt(fail(errc::unknown_agent, fmt::format("there is no agent '{}'", wanted)));
  if (cancelled_)
    return fail_prompt(*cancelled_);
  travelling_run run;
  run.state = run::begin(items_, std::move(request.prompt), environment_->limits);
  run.deadline = self_->clock().now() + environment_->run_timeout;
  run.watchers = std::make_shared<const run_watchers>(run_watchers{current_prompt().observer, self_});
  run.run_id = request.run_id;
  run.session_id = id_;
  ask<run_outcome>(
      self_, agent->second, environment_->run_timeout + defaults::run_answer_grace,
      [this](run_outcome& outcome) { run_ended(std::move(outcome)); },
      [this](const caf::error& reason) { fail_prompt(from_caf(reason)); }, std::move(run));
}

void session_state::run_ended(run_outcome&& outcome) {
  carrier_ = nullptr;
  if (!outcome.failure)
    agent_ = outcome.agent;
  session_append addition{id_, agent_, outcome.items};
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout,
      [this, outcome = std::move(outcome)](acknowledgement) mutable { stored(std::move(outcome)); },
      [this](const caf::error& reason) { fail_prompt(from_caf(reason)); }, std::move(addition));
}

void session_state::stored(run_outcome&& outcome) {
  if (items_.use_count() > 1)
    items_ = std::make_shared<item_list>(*items_);
  else
    // Whoever let go last has read before that.
    std::atomic_thread_fence(std::memory_order_acquire);
  items_->insert(items_->end(), outcome.items.begin(), outcome.items.end());
  if (outcome.failure)
    fail_prompt(std::move(*outcome.failure));
  else
    reply(std::move(outcome));
}

void session_state::reply(run_outcome&& outcome) {
  current_prompt().promise.deliver(chat_reply{std::move(outcome.output), id_, std::move(outcome.agent),
                                              std::move(outcome.items), outcome.used});
  done();
}

void session_state::fail_prompt(error reason) {
  carrier_ = nullptr;
  log().info("session '{}': a run failed: {}: {}", id_, to_string(reason.code), reason.detail);
  if (std::holds_alternative<prompt_job>(jobs_.front()))
    current_prompt().promise.deliver(to_caf(reason));
  done();
}

void session_state::erase_now() {
  self_->request(environment_->store, defaults::store_timeout, erase_atom::value, id_)
      .then(
          [this](acknowledgement) {
            std::get<erase_job>(jobs_.front()).promise.deliver(acknowledgement{});
            done();
          },
          [this](const caf::error& reason) {
            std::get<erase_job>(jobs_.front()).promise.deliver(to_caf(from_caf(reason)));
            done();
          });
  loaded_ = false;
  items_ = std::make_shared<item_list>();
  agent_.clear();
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

void session_state::cancel(std::uint64_t run_id, const error& reason) {
  const auto concerns = [run_id](const job& j) {
    const auto* prompt = std::get_if<prompt_job>(&j);
    return prompt != nullptr && (run_id == 0 || prompt->request.run_id == run_id);
  };
  if (busy_ && concerns(jobs_.front())) {
    cancelled_ = reason;
    if (carrier_)
      self_->send(carrier_, cancel_atom::value, reason);
  }
  for (auto waiting = jobs_.begin() + (busy_ ? 1 : 0); waiting != jobs_.end();) {
    if (!concerns(*waiting)) {
      ++waiting;
      continue;
    }
    std::get<prompt_job>(*waiting).promise.deliver(to_caf(reason));
    ++handled_;
    waiting = jobs_.erase(waiting);
  }
}

void session_state::run_moved(std::uint64_t run_id, const caf::strong_actor_ptr& to) {
  if (!busy_ || !std::holds_alternative<prompt_job>(jobs_.front()) ||
      current_prompt().request.run_id != run_id)
    return;
  carrier_ = caf::actor_cast<run_actor>(to);
  // The cancellation may have missed the run on its way.
  if (cancelled_)
    self_->send(carrier_, cancel_atom::value, *cancelled_);
}

session_actor::behavior_type session_behavior(session_actor::stateful_pointer<session_state> self,
                                              std::string id, session_environment_ptr environment,
                                              sessions_actor parent) {
  self->state.begin(std::move(id), std::move(environment), std::move(parent));
  return {
      [self](chat_request& request, const observer_actor& observer) {
        return self->state.chat(std::move(request), observer);
      },
      [self](erase_atom) { return self->state.erase(); },
      [self](cancel_atom, std::uint64_t run_id, const error& reason) { self->state.cancel(run_id, reason); },
      [self](moved_atom, std::uint64_t run_id, const caf::strong_actor_ptr& to) {
        self->state.run_moved(run_id, to);
      },
  };
}

} // namespace troupe
