#include "actors/sessions.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/metrics/measures.hpp"
#include "actors/metrics/memory_watch.hpp"
#include "actors/run_id.hpp"
#include "actors/run_log.hpp"
#include "actors/stored_run_json.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

sessions_state::~sessions_state() {
  leave();
  for (auto& [id, session] : entries_)
    caf::anon_send_exit(session.handle, caf::exit_reason::user_shutdown);
  for (auto& [id, log] : logs_)
    caf::anon_send_exit(log, caf::exit_reason::user_shutdown);
  const auto gone = to_caf(fail(errc::shutting_down, "the server ended before the run did"));
  for (auto& [run_id, waiting] : waiters_)
    for (auto& promise : waiting)
      promise.deliver(gone);
  for (auto& [run_id, asked] : looked_up_) {
    for (auto& each : asked.requests)
      each.promise.deliver(gone);
    for (auto& each : asked.logs)
      each.promise.deliver(gone);
  }
  answer_stop();
}

void sessions_state::begin(session_environment_ptr environment, sessions_limits limits,
                           const std::vector<orphaned_run>& orphans, std::shared_ptr<left_runs> left) {
  left_ = std::move(left);
  environment_ = std::move(environment);
  limits_ = limits;
  runs_.emplace(limits.kept_runs, defaults::kept_run_bytes);
  for (const auto& [run_id, session_id, owner, key_hash] : orphans) {
    runs_->begin(run_id, session_id, {}, owner, key_hash);
    count_begin(run_id);
    auto& runs = orphans_[session_id];
    if (runs.empty())
      orphaned_sessions_.push_back(session_id);
    runs.push_back(run_id);
  }
  if (!orphans.empty())
    log().info("{} runs in {} sessions go on, which were under way when a server ended", orphans.size(),
               orphans_.size());
  recover_more();
}

void sessions_state::recover_more() {
  while (!orphaned_sessions_.empty() && recovering_.size() < defaults::recovering_runs) {
    const auto next = std::move(orphaned_sessions_.front());
    orphaned_sessions_.pop_front();
    recover(next);
  }
}

void sessions_state::recover(const std::string& session_id) {
  const auto runs = orphans_.extract(session_id);
  if (runs.empty() || stopping_)
    return;
  recovering_.insert(session_id);
  for (const auto& run_id : runs.mapped())
    self_->send(find_or_make(session_id).handle, recover_atom::value, run_id,
                observer_actor(make_log(run_id, false)));
}

sessions_state::entry& sessions_state::find_or_make(const std::string& session_id) {
  recover(session_id);
  auto [found, is_new] = entries_.try_emplace(session_id);
  if (is_new) {
    found->second.handle = self_->spawn(session_behavior, session_id, environment_, sessions_actor(self_));
    self_->monitor(found->second.handle);
  } else if (found->second.is_idle()) {
    idle_.erase(found->second.place);
  }
  if (!sweeping_) {
    sweeping_ = true;
    self_->delayed_send(self_, defaults::session_sweep, sweep_atom::value);
  }
  ++found->second.forwarded;
  ++under_way_;
  return found->second;
}

caf::result<chat_reply> sessions_state::chat(chat_request&& request, observer_actor observer) {
  if (stopping_)
    return to_caf(fail(errc::shutting_down, "the server is shutting down"));
  if (request.prompt.size() > environment_->max_prompt_bytes) {
    if (environment_->measures)
      environment_->measures->refused_prompt.add();
    return to_caf(fail(errc::too_large, fmt::format("the prompt has {} bytes; it may have {}",
                                                    request.prompt.size(), environment_->max_prompt_bytes)));
  }
  if (request.run_id.empty())
    request.run_id = new_run_id();
  if (request.key_hash.empty())
    return start_run(std::move(request), std::move(observer));
  auto promise = self_->make_response_promise<chat_reply>();
  const auto known = runs_->find(request.run_id);
  if (known && !may_have_moved(*known) && answer_again(*known, request, promise))
    return promise;
  look_up_key(std::move(request), std::move(observer), promise);
  return promise;
}

std::optional<error> sessions_state::no_room() const {
  const auto& measures = environment_->measures;
  if (under_way_ >= limits_.max_runs) {
    if (measures)
      measures->refused_runs.add();
    return fail(errc::overloaded, fmt::format("{} runs are under way already", under_way_));
  }
  if (environment_->memory && environment_->memory->is_short(memory_watch::clock::now())) {
    if (measures)
      measures->refused_memory.add();
    return fail(errc::memory_short, "the process has little memory left");
  }
  return std::nullopt;
}

void sessions_state::count_begin(const std::string& run_id) {
  if (environment_->measures)
    began_[run_id] = self_->clock().now();
}

void sessions_state::count_end(const run_record& record) {
  const auto began = began_.extract(record.run_id);
  const auto& measures = environment_->measures;
  // What was refused, or is told of twice, was no run.
  if (!measures || began.empty() || record.is_refused)
    return;
  measures->seconds.observe(in_seconds(self_->clock().now() - began.mapped()));
  if (record.status == run_status::paused)
    measures->paused.add();
  else
    measures->runs.count(record.failure ? std::optional(record.failure->code) : std::nullopt);
}

caf::result<chat_reply> sessions_state::start_run(chat_request&& request, observer_actor observer) {
  if (const auto refusal = no_room())
    return to_caf(*refusal);
  const auto& session = take_in(request, observer);
  return self_->delegate(session.handle, std::move(request), std::move(observer));
}

sessions_state::entry& sessions_state::take_in(const chat_request& request, observer_actor& observer) {
  if (request.is_logged)
    observer = make_log(request.run_id, true);
  runs_->begin(request.run_id, request.session_id, request.agent, request.by.subject, request.key_hash);
  count_begin(request.run_id);
  return find_or_make(request.session_id);
}

caf::result<session_record_ptr> sessions_state::load(const std::string& session_id, const caller& by) {
  if (by.is_operator)
    return self_->delegate(environment_->store, info_atom::value, session_id);
  auto promise = self_->make_response_promise<session_record_ptr>();
  ask<session_record_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [promise, session_id, by](const session_record_ptr& record) mutable {
        if (may_see(record->owner, by))
          promise.deliver(record);
        else
          promise.deliver(
              to_caf(fail(errc::unknown_session, fmt::format("there is no session '{}'", session_id))));
      },
      [promise](const caf::error& reason) mutable { promise.deliver(to_caf(from_caf(reason))); },
      info_atom::value, session_id);
  return promise;
}

caf::result<acknowledgement> sessions_state::erase(const std::string& session_id, const caller& by) {
  if (stopping_)
    return to_caf(fail(errc::shutting_down, "the server is shutting down"));
  if (by.is_operator)
    erased(session_id);
  // A session that is not in use has nothing to wait for.
  if (by.is_operator && !entries_.contains(session_id) && !orphans_.contains(session_id))
    return self_->delegate(environment_->store, erase_atom::value, session_id);
  return self_->delegate(find_or_make(session_id).handle, erase_atom::value, by);
}

void sessions_state::finished(const std::string& session_id, std::uint64_t handled) {
  const auto found = entries_.find(session_id);
  if (found == entries_.end())
    return;
  auto& session = found->second;
  // What is left of it waits for somebody's word, and others need not wait for that.
  const bool waits = handled == session.handled;
  if (waits && recovering_.erase(session_id) > 0)
    recover_more();
  under_way_ -= handled - session.handled;
  session.handled = handled;
  if (session.is_idle()) {
    if (recovering_.erase(session_id) > 0)
      recover_more();
    session.idle_since = self_->clock().now();
    session.place = idle_.insert(idle_.end(), session_id);
    if (idle_.size() > limits_.max_idle)
      put_away_oldest();
  }
  if (stopping_ && under_way_ == 0)
    answer_stop();
}

void sessions_state::run_changed(const run_record_ptr& record) {
  if (record->status == run_status::running) {
    runs_->begin(record->run_id, record->session_id, record->agent, record->owner);
    count_begin(record->run_id);
  } else {
    count_end(*record);
    runs_->end(record);
  }
  if (record->status != run_status::running)
    run_over(*record);
}

void sessions_state::run_over(const run_record& record) {
  if (auto waiting = waiters_.extract(record.run_id); !waiting.empty())
    for (auto& promise : waiting.mapped()) {
      if (auto reply = reply_of(record))
        promise.deliver(std::move(*reply));
      else
        promise.deliver(to_caf(reply.error()));
    }
  retire_log(record.run_id);
}

void sessions_state::erased(const std::string& session_id) {
  for (const auto& run_id : runs_->forget(session_id))
    drop_log(run_id);
}

void sessions_state::put_away_oldest() {
  const auto oldest = entries_.find(idle_.front());
  self_->demonitor(oldest->second.handle.address());
  self_->send_exit(oldest->second.handle, caf::exit_reason::user_shutdown);
  entries_.erase(oldest);
  idle_.pop_front();
}

void sessions_state::died(const caf::actor_addr& who) {
  const auto dead = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const auto& each) { return each.second.handle.address() == who; });
  if (dead == entries_.end())
    return;
  auto& session = dead->second;
  for (const auto& lost : runs_->lose(dead->first)) {
    count_end(*lost);
    run_over(*lost);
    // It is told to have failed, so that it must not come back after a restart.
    if (environment_->is_journaled && !stopping_) {
      run_change change{lost->run_id};
      change.ended = to_stored(*lost);
      self_->send(environment_->store, finished_atom::value, std::move(change));
    }
  }
  if (session.is_idle())
    idle_.erase(session.place);
  under_way_ -= session.forwarded - session.handled;
  const bool was_recovering = recovering_.erase(dead->first) > 0;
  entries_.erase(dead);
  if (was_recovering)
    recover_more();
  if (stopping_ && under_way_ == 0)
    answer_stop();
}

void sessions_state::sweep() {
  const auto now = self_->clock().now();
  while (!idle_.empty() && now - entries_.at(idle_.front()).idle_since >= limits_.idle_timeout)
    put_away_oldest();
  sweeping_ = !entries_.empty() && !stopping_;
  if (sweeping_)
    self_->delayed_send(self_, defaults::session_sweep, sweep_atom::value);
}

caf::typed_response_promise<acknowledgement> sessions_state::stop(caf::timespan grace) {
  auto promise = self_->make_response_promise<acknowledgement>();
  stops_.push_back(promise);
  if (!stopping_ && under_way_ > 0)
    self_->delayed_send(self_, grace, expired_atom::value, false);
  if (!std::exchange(stopping_, true))
    for (const auto& [id, session] : entries_)
      if (!session.is_idle())
        self_->send(session.handle, stop_atom::value);
  if (under_way_ == 0)
    answer_stop();
  return promise;
}

void sessions_state::expired(bool cancelled_before) {
  if (under_way_ == 0 || cancelled_before) {
    answer_stop();
    return;
  }
  for (const auto& [id, session] : entries_)
    if (!session.is_idle())
      self_->send(session.handle, cancel_atom::value, std::string(),
                  fail(errc::shutting_down, "the server is shutting down"), cancel_mode::at_once);
  self_->delayed_send(self_, defaults::cancelled_run_grace, expired_atom::value, true);
}

void sessions_state::renew(const session_environment_ptr& environment) {
  environment_ = environment;
  for (const auto& [id, session] : entries_)
    self_->send(session.handle, wire_atom::value, environment);
  for (const auto& [id, log] : logs_)
    self_->send(log, wire_atom::value, caf::actor_cast<caf::strong_actor_ptr>(environment->store));
}

actor_status sessions_state::status() const {
  auto status = status_of(self_);
  // Of each session one is at work, or about to be.
  std::size_t waiting = 0;
  for (const auto& [session_id, session] : entries_)
    waiting += std::max<std::uint64_t>(session.forwarded - session.handled, 1) - 1;
  status.in_flight = under_way_ - std::min(under_way_, waiting);
  status.waiting = waiting;
  return status;
}

void sessions_state::answer_stop() {
  for (auto& promise : stops_)
    promise.deliver(acknowledgement{});
  stops_.clear();
}

sweeping_sessions_actor::behavior_type
sessions_behavior(sweeping_sessions_actor::stateful_pointer<sessions_state> self,
                  session_environment_ptr environment, sessions_limits limits,
                  const std::vector<orphaned_run>& orphans, std::shared_ptr<left_runs> left) {
  self->state.begin(std::move(environment), limits, orphans, std::move(left));
  self->set_down_handler([self](const caf::down_msg& what) { self->state.died(what.source); });
  return {
      [self](chat_request& request) { return self->state.chat(std::move(request), {}); },
      [self](chat_request& request, const observer_actor& observer) {
        return self->state.chat(std::move(request), observer);
      },
      [self](resume_request& request, const observer_actor& observer) {
        return self->state.resume(std::move(request), observer);
      },
      [self](run_atom, const std::string& run_id) { return self->state.show_run(run_id, {}); },
      [self](cancel_atom, const std::string& run_id, cancel_mode mode) {
        return self->state.cancel(run_id, mode, {});
      },
      [self](info_atom, const std::string& session_id) { return self->state.load(session_id, {}); },
      [self](erase_atom, const std::string& session_id) { return self->state.erase(session_id, {}); },
      [self](run_atom, const std::string& run_id, const caller& by) {
        return self->state.show_run(run_id, by);
      },
      [self](head_atom, const std::string& run_id, const caller& by) {
        return self->state.show_head(run_id, by);
      },
      [self](cancel_atom, const std::string& run_id, cancel_mode mode, const caller& by) {
        return self->state.cancel(run_id, mode, by);
      },
      [self](info_atom, const std::string& session_id, const caller& by) {
        return self->state.load(session_id, by);
      },
      [self](erase_atom, const std::string& session_id, const caller& by) {
        return self->state.erase(session_id, by);
      },
      [self](events_atom, const std::string& run_id, const caller& by, const std::string& key_hash) {
        return self->state.log_of(run_id, by, key_hash);
      },
      [self](stop_atom, caf::timespan grace) { return self->state.stop(grace); },
      [self](finished_atom, const std::string& session_id, std::uint64_t handled) {
        self->state.finished(session_id, handled);
      },
      [self](finished_atom, const run_record_ptr& record) { self->state.run_changed(record); },
      [self](recover_atom, const std::string& session_id, const adopted_runs_ptr& runs) {
        return self->state.take_over(session_id, *runs);
      },
      [self](erase_atom, const std::string& session_id, acknowledgement) { self->state.erased(session_id); },
      [self](sweep_atom) { self->state.sweep(); },
      [self](expired_atom, bool cancelled_before) { self->state.expired(cancelled_before); },
      [self](wire_atom, const session_environment_ptr& now) { self->state.renew(now); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
