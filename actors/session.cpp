#include "actors/session.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"

#include <fmt/format.h>

#include <algorithm>

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
    count_handled(1);
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
  was_paused_ = false;
  const auto* prompt = std::get_if<prompt_job>(&jobs_.front());
  if (prompt != nullptr)
    run_id_ = prompt->request.run_id;
  else if (const auto* resumed = std::get_if<resume_job>(&jobs_.front()))
    run_id_ = resumed->request.run_id;
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
  if (cancelled_) {
    jobs_.insert(jobs_.begin() + 1, drop_job{run_id_, cancelled_->first, true});
    return deliver(to_caf(cancelled_->first));
  }
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
  auto record = std::make_shared<run_record>(paused_record());
  record->status = run_status::running;
  record->interruptions.clear();
  self_->send(parent_, finished_atom::value, run_record_ptr(std::move(record)));
  send_off(agent->second, std::move(run), spending_, wanted.request.streamed, wanted.observer);
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
    promise.deliver(run_record_ptr(std::make_shared<const run_record>(paused_record())));
  done();
}

void session_state::start(const erase_job& wanted) {
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout,
      [this, promise = wanted.promise](acknowledgement) mutable {
        promise.deliver(acknowledgement{});
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
  saved_ = paused_->saved;
  run_ended(close_paused(*paused_->state, wanted.reason));
}

void session_state::count_handled(std::uint64_t more) {
  if (more == 0)
    return;
  handled_ += more;
  self_->send(parent_, finished_atom::value, id_, handled_);
}

void session_state::done() {
  const auto* dropped = std::get_if<drop_job>(&jobs_.front());
  const bool counts = dropped == nullptr || !dropped->is_counted;
  jobs_.pop_front();
  busy_ = false;
  count_handled(counts ? 1 : 0);
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
  std::uint64_t erased = 0;
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
    ++erased;
    waiting = jobs_.erase(waiting);
  }
  // To cancel all is the parent's own word; it does not count it among what it passed on.
  if (run_id.empty() || (found && !drops))
    return count_handled(erased + (run_id.empty() ? 0 : 1));
  count_handled(erased);
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

renewable_session_actor::behavior_type
session_behavior(renewable_session_actor::stateful_pointer<session_state> self, std::string id,
                 session_environment_ptr environment, sessions_actor parent) {
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
      [self](wire_atom, const session_environment_ptr& now) { self->state.renew(now); },
  };
}

} // namespace troupe
