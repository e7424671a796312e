#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/session.hpp"
#include "actors/stored_run_json.hpp"

#include <caf/actor_cast.hpp>

#include <utility>

namespace troupe {

// Accepting.

run_acceptance session_state::acceptance_of(const chat_request& request) const {
  return {request.by.subject, to_stored(request), request.key_hash};
}

session_state::prompt_job* session_state::find_prompt(const std::string& run_id) {
  for (auto& each : jobs_)
    if (auto* prompt = std::get_if<prompt_job>(&each); prompt != nullptr && prompt->request.run_id == run_id)
      return prompt;
  return nullptr;
}

namespace {

chat_reply under_way(const std::string& run_id, const std::string& session_id) {
  chat_reply reply;
  reply.session_id = session_id;
  reply.run_id = run_id;
  reply.status = run_status::running;
  return reply;
}

} // namespace

void session_state::is_certain(prompt_job& wanted, const std::string& session_id) {
  wanted.is_certain = true;
  const auto reply = under_way(wanted.request.run_id, session_id);
  for (auto& each : std::exchange(wanted.again, {}))
    each.deliver(reply);
  if (wanted.request.background && !std::exchange(wanted.is_answered, true))
    wanted.promise.deliver(reply);
}

caf::typed_response_promise<chat_reply> session_state::accepted(const std::string& run_id) {
  auto promise = self_->make_response_promise<chat_reply>();
  auto* wanted = find_prompt(run_id);
  if (wanted != nullptr && !wanted->is_certain)
    wanted->again.push_back(promise);
  else
    promise.deliver(under_way(run_id, id_));
  count_handled(1);
  return promise;
}

void session_state::accept_waiting() {
  // Whether they may be there is known once the session is.
  if (!loaded_)
    return;
  for (std::size_t i = busy_ ? 1 : 0; i < jobs_.size(); ++i) {
    auto* prompt = std::get_if<prompt_job>(&jobs_[i]);
    if (prompt == nullptr || prompt->is_accepted || !may_see(prompt->request.by))
      continue;
    if (!environment_->is_journaled) {
      is_certain(*prompt, id_);
      continue;
    }
    prompt->is_accepted = true;
    session_append addition{id_, {}, {}};
    addition.owner = prompt->request.by.subject;
    addition.run = run_change{prompt->request.run_id, acceptance_of(prompt->request)};
    ask<acknowledgement>(
        self_, environment_->store, defaults::store_timeout,
        [this, run_id = prompt->request.run_id](acknowledgement) {
          if (auto* accepted = find_prompt(run_id))
            is_certain(*accepted, id_);
        },
        [this, run_id = prompt->request.run_id](const caf::error& reason) {
          // It is tried again when its turn comes; who waits for it learns then.
          if (auto* waiting = find_prompt(run_id))
            waiting->is_accepted = false;
          log().warn("session '{}': the run '{}' could not be written down: {}", id_, run_id,
                     from_caf(reason).detail);
        },
        std::move(addition));
  }
}

journal_actor session_state::journal() const {
  return log_ ? journal_actor(log_) : journal_actor(environment_->store);
}

void session_state::take_log(const observer_actor& observer, bool is_logged) {
  if (is_logged && observer)
    log_ = caf::actor_cast<run_log_actor>(observer);
}

void session_state::write(run_change&& change) {
  session_append addition;
  addition.run = std::move(change);
  write(std::move(addition));
}

void session_state::write_cancellation(const std::string& run_id, const error& reason, cancel_mode mode) {
  run_change change{run_id};
  change.records.push_back(dump_json(run::cancellation_record(reason, mode == cancel_mode::after_turn)));
  write(std::move(change));
}

void session_state::write(session_append&& addition) {
  const auto to = addition.run->run_id == run_id_ ? journal() : journal_actor(environment_->store);
  std::optional<run_change> ending;
  if (addition.run->ended) {
    ending = run_change{addition.run->run_id};
    ending->ended = addition.run->ended;
  }
  ask<acknowledgement>(
      self_, to, defaults::store_timeout, [](acknowledgement) {},
      [this, ending](const caf::error& reason) {
        const auto why = from_caf(reason);
        log().warn("session '{}': the journal could not be written: {}", id_, why.detail);
        // What was told to be over must not be carried out after a restart; unless it was asked for again, or
        // is another server's.
        const bool is_asked_again =
            ending && (find_prompt(ending->run_id) != nullptr || (busy_ && run_id_ == ending->run_id));
        if (ending && !is_asked_again && why.code != errc::conflict)
          self_->send(environment_->store, finished_atom::value, *ending);
      },
      std::move(addition));
}

// Beginning.

void session_state::begin_run(const agent_actor& agent, travelling_run&& run, bool has_input) {
  auto& wanted = std::get<prompt_job>(jobs_.front());
  session_append addition{id_, {}, {}};
  addition.owner = wanted.request.by.subject;
  addition.run = run_change{run_id_};
  if (!std::exchange(wanted.is_accepted, true))
    addition.run->accepted = acceptance_of(wanted.request);
  addition.run->begins = true;
  if (has_input) {
    addition.items.push_back(run.state.fresh.front());
    saved_ = 1;
  }
  is_in_journal_ = true;
  ask<acknowledgement>(
      self_, environment_->store, defaults::store_timeout,
      [this, agent, run = std::move(run)](acknowledgement) mutable { send_off_begun(agent, std::move(run)); },
      [this](const caf::error& reason) { not_begun(from_caf(reason)); }, std::move(addition));
}

void session_state::send_off_begun(const agent_actor& agent, travelling_run&& run) {
  auto& wanted = std::get<prompt_job>(jobs_.front());
  is_certain(wanted, id_);
  // The cancellation came when there was nobody to tell.
  if (cancelled_) {
    run_outcome outcome;
    outcome.failure = cancelled_->first;
    outcome.items = std::move(run.state.fresh);
    return run_ended(std::move(outcome));
  }
  std::optional<std::chrono::milliseconds> within;
  if (wanted.deadline)
    within = std::chrono::ceil<std::chrono::milliseconds>(*wanted.deadline - self_->clock().now());
  send_off(agent, std::move(run), spending_, wanted.request.streamed, wanted.observer, within);
}

} // namespace troupe
