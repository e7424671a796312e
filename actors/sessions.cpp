#include "actors/sessions.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/run_id.hpp"

#include <caf/send.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

sessions_state::~sessions_state() {
  for (auto& [id, session] : entries_)
    caf::anon_send_exit(session.handle, caf::exit_reason::user_shutdown);
  answer_stop();
}

void sessions_state::begin(session_environment_ptr environment, sessions_limits limits) {
  environment_ = std::move(environment);
  limits_ = limits;
  runs_.emplace(limits.kept_runs, defaults::kept_run_bytes);
}

sessions_state::entry& sessions_state::find_or_make(const std::string& session_id) {
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
  if (under_way_ >= limits_.max_runs)
    return to_caf(fail(errc::overloaded, fmt::format("{} runs are under way already", under_way_)));
  if (request.run_id.empty())
    request.run_id = new_run_id();
  runs_->begin(request.run_id, request.session_id, request.agent);
  const auto& session = find_or_make(request.session_id);
  return self_->delegate(session.handle, std::move(request), std::move(observer));
}

template <class Answer, class Go>
caf::typed_response_promise<Answer> sessions_state::find_session(const std::string& run_id, Go go_on) {
  auto promise = self_->make_response_promise<Answer>();
  const auto failed = [promise, run_id](const caf::error& reason) mutable {
    const auto why = from_caf(reason);
    if (why.code == errc::unknown_run)
      promise.deliver(to_caf(fail(errc::unknown_run, fmt::format("there is no run '{}'", run_id))));
    else
      promise.deliver(to_caf(why));
  };
  ask<std::string>(
      self_, environment_->store, defaults::store_timeout,
      [promise, go_on = std::move(go_on)](const std::string& session_id) mutable {
        go_on(promise, session_id);
      },
      failed, run_atom::value, run_id);
  return promise;
}

caf::result<chat_reply> sessions_state::resume(resume_request&& request, observer_actor observer) {
  if (stopping_)
    return to_caf(fail(errc::shutting_down, "the server is shutting down"));
  if (under_way_ >= limits_.max_runs)
    return to_caf(fail(errc::overloaded, fmt::format("{} runs are under way already", under_way_)));
  if (const auto known = runs_->find(request.run_id)) {
    if (known->status != run_status::paused)
      return to_caf(fail(errc::conflict, fmt::format("the run '{}' is not paused but {}", request.run_id,
                                                     to_string(known->status))));
    return self_->delegate(find_or_make(known->session_id).handle, std::move(request), std::move(observer));
  }
  const auto run_id = request.run_id;
  return find_session<chat_reply>(run_id,
                                  [this, request = std::move(request), observer = std::move(observer)](
                                      auto& promise, const std::string& session_id) {
                                    promise.delegate(find_or_make(session_id).handle, request, observer);
                                  });
}

caf::result<run_record_ptr> sessions_state::show_run(const std::string& run_id) {
  if (auto known = runs_->find(run_id))
    return known;
  return find_session<run_record_ptr>(run_id, [this, run_id](auto& promise, const std::string& session_id) {
    promise.delegate(find_or_make(session_id).handle, run_atom::value, run_id);
  });
}

caf::result<run_record_ptr> sessions_state::cancel(const std::string& run_id, cancel_mode mode) {
  const auto reason = fail(errc::cancelled, "the run was cancelled");
  if (const auto known = runs_->find(run_id)) {
    if (known->status != run_status::running && known->status != run_status::paused)
      return to_caf(fail(errc::conflict,
                         fmt::format("the run '{}' is over: it is {}", run_id, to_string(known->status))));
    self_->send(find_or_make(known->session_id).handle, cancel_atom::value, run_id, reason, mode);
    return known;
  }
  return find_session<run_record_ptr>(
      run_id, [this, run_id, reason, mode](auto& promise, const std::string& session_id) {
        promise.delegate(find_or_make(session_id).handle, run_atom::value, run_id);
        self_->send(find_or_make(session_id).handle, cancel_atom::value, run_id, reason, mode);
      });
}

caf::result<session_record_ptr> sessions_state::load(const std::string& session_id) {
  return self_->delegate(environment_->store, info_atom::value, session_id);
}

caf::result<acknowledgement> sessions_state::erase(const std::string& session_id) {
  if (stopping_)
    return to_caf(fail(errc::shutting_down, "the server is shutting down"));
  runs_->forget(session_id);
  // A session that is not in use has nothing to wait for.
  if (!entries_.contains(session_id))
    return self_->delegate(environment_->store, erase_atom::value, session_id);
  return self_->delegate(find_or_make(session_id).handle, erase_atom::value);
}

void sessions_state::finished(const std::string& session_id, std::uint64_t handled) {
  const auto found = entries_.find(session_id);
  if (found == entries_.end())
    return;
  auto& session = found->second;
  under_way_ -= handled - session.handled;
  session.handled = handled;
  if (session.is_idle()) {
    session.idle_since = self_->clock().now();
    session.place = idle_.insert(idle_.end(), session_id);
    if (idle_.size() > limits_.max_idle)
      put_away_oldest();
  }
  if (stopping_ && under_way_ == 0)
    answer_stop();
}

void sessions_state::run_changed(const run_record_ptr& record) {
  if (record->status == run_status::running)
    runs_->begin(record->run_id, record->session_id, record->agent);
  else
    runs_->end(record);
}

void sessions_state::erased(const std::string& session_id) {
  runs_->forget(session_id);
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
  runs_->lose(dead->first);
  if (session.is_idle())
    idle_.erase(session.place);
  under_way_ -= session.forwarded - session.handled;
  entries_.erase(dead);
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
  stopping_ = true;
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
}

actor_status sessions_state::status() const {
  auto status = status_of(self_);
  status.in_flight = under_way_;
  return status;
}

void sessions_state::answer_stop() {
  for (auto& promise : stops_)
    promise.deliver(acknowledgement{});
  stops_.clear();
}

sweeping_sessions_actor::behavior_type
sessions_behavior(sweeping_sessions_actor::stateful_pointer<sessions_state> self,
                  session_environment_ptr environment, sessions_limits limits) {
  self->state.begin(std::move(environment), limits);
  self->set_down_handler([self](const caf::down_msg& what) { self->state.died(what.source); });
  return {
      [self](chat_request& request) { return self->state.chat(std::move(request), {}); },
      [self](chat_request& request, const observer_actor& observer) {
        return self->state.chat(std::move(request), observer);
      },
      [self](resume_request& request, const observer_actor& observer) {
        return self->state.resume(std::move(request), observer);
      },
      [self](run_atom, const std::string& run_id) { return self->state.show_run(run_id); },
      [self](cancel_atom, const std::string& run_id, cancel_mode mode) {
        return self->state.cancel(run_id, mode);
      },
      [self](info_atom, const std::string& session_id) { return self->state.load(session_id); },
      [self](erase_atom, const std::string& session_id) { return self->state.erase(session_id); },
      [self](stop_atom, caf::timespan grace) { return self->state.stop(grace); },
      [self](finished_atom, const std::string& session_id, std::uint64_t handled) {
        self->state.finished(session_id, handled);
      },
      [self](finished_atom, const run_record_ptr& record) { self->state.run_changed(record); },
      [self](erase_atom, const std::string& session_id, acknowledgement) { self->state.erased(session_id); },
      [self](sweep_atom) { self->state.sweep(); },
      [self](expired_atom, bool cancelled_before) { self->state.expired(cancelled_before); },
      [self](wire_atom, const session_environment_ptr& now) { self->state.renew(now); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
