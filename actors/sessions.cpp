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

namespace {

error no_run(const std::string& run_id) {
  return fail(errc::unknown_run, fmt::format("there is no run '{}'", run_id));
}

error is_over(const std::string& run_id, std::string_view status) {
  return fail(errc::conflict, fmt::format("the run '{}' is over: it is {}", run_id, status));
}

error other_request() {
  return fail(errc::invalid_argument,
              "the idempotency key was used with another request; a key names one request");
}

bool may_see(const std::string& owner, const caller& by) {
  return by.is_operator || owner == by.subject;
}

} // namespace

sessions_state::~sessions_state() {
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
                           const std::vector<orphaned_run>& orphans) {
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

run_log_actor sessions_state::make_log(const std::string& run_id, bool is_new) {
  if (const auto known = logs_.find(run_id); known != logs_.end())
    return known->second;
  run_log_setup setup{run_id, environment_->store, environment_->is_journaled, is_new};
  setup.hides = environment_->hides;
  setup.window = defaults::run_log_window;
  setup.kept_bytes = defaults::run_log_bytes;
  return logs_.emplace(run_id, self_->spawn(run_log_behavior, std::move(setup))).first->second;
}

run_log_actor sessions_state::log_that_goes_on(const std::string& run_id) {
  const auto log = make_log(run_id, false);
  self_->send(log, recover_atom::value);
  return log;
}

void sessions_state::retire_log(const std::string& run_id) {
  const auto known = logs_.find(run_id);
  if (known == logs_.end())
    return;
  // Also where the run's turn never came.
  self_->send(known->second, finished_atom::value);
  if (environment_->is_journaled) {
    logs_.erase(run_id);
    return;
  }
  old_logs_.push_back(run_id);
  if (old_logs_.size() > defaults::kept_logs) {
    logs_.erase(old_logs_.front());
    old_logs_.pop_front();
  }
}

caf::result<caf::strong_actor_ptr> sessions_state::log_of(const std::string& run_id, const caller& by,
                                                          const std::string& key_hash) {
  const auto handle = [](const run_log_actor& log) { return caf::actor_cast<caf::strong_actor_ptr>(log); };
  if (const auto asked = looked_up_.find(run_id); asked != looked_up_.end()) {
    auto promise = self_->make_response_promise<caf::strong_actor_ptr>();
    asked->second.logs.push_back({by, key_hash, promise});
    return promise;
  }
  if (const auto known = runs_->find(run_id)) {
    if (!may_see(known->owner, by))
      return to_caf(no_run(run_id));
    if (!key_hash.empty() && key_hash != known->key_hash)
      return to_caf(other_request());
    if (const auto log = logs_.find(run_id); log != logs_.end())
      return handle(log->second);
    if (!environment_->is_journaled)
      return to_caf(fail(errc::unknown_run, fmt::format("the events of the run '{}' are not kept", run_id)));
  }
  return find_session<caf::strong_actor_ptr>(
      run_id, by,
      [this, run_id, handle](auto& promise, const std::string&) {
        promise.deliver(handle(make_log(run_id, false)));
      },
      [this, handle, key_hash](auto& promise, const run_record_ptr& record) {
        if (!key_hash.empty() && key_hash != record->key_hash) {
          promise.deliver(to_caf(other_request()));
          return;
        }
        run_log_setup setup{record->run_id, environment_->store, true, false};
        setup.hides = environment_->hides;
        setup.window = defaults::run_log_window;
        promise.deliver(handle(self_->spawn(run_log_behavior, std::move(setup))));
      });
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
  if (known && answer_again(*known, request, promise))
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
  if (request.is_logged)
    observer = make_log(request.run_id, true);
  runs_->begin(request.run_id, request.session_id, request.agent, request.by.subject, request.key_hash);
  count_begin(request.run_id);
  const auto& session = find_or_make(request.session_id);
  return self_->delegate(session.handle, std::move(request), std::move(observer));
}

bool sessions_state::answer_again(const run_record& known, const chat_request& request,
                                  caf::typed_response_promise<chat_reply>& promise) {
  if (known.key_hash != request.key_hash) {
    promise.deliver(to_caf(other_request()));
    return true;
  }
  // It was never carried out.
  if (known.is_refused)
    return false;
  if (known.status == run_status::running && request.background) {
    promise.delegate(find_or_make(known.session_id).handle, journal_atom::value, known.run_id);
  } else if (known.status == run_status::running) {
    waiters_[known.run_id].push_back(promise);
  } else if (auto reply = reply_of(known)) {
    promise.deliver(std::move(*reply));
  } else {
    promise.deliver(to_caf(reply.error()));
  }
  return true;
}

void sessions_state::look_up_key(chat_request&& request, observer_actor observer,
                                 caf::typed_response_promise<chat_reply> promise) {
  const auto run_id = request.run_id;
  auto& waiting = looked_up_[run_id].requests;
  waiting.push_back({std::move(request), std::move(observer), promise});
  if (waiting.size() > 1)
    return;
  if (!environment_->is_journaled)
    return key_looked_up(run_id, nullptr);
  ask<stored_run_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this, run_id](const stored_run_ptr& found) {
        if (const auto record = record_from_stored(*found))
          key_looked_up(run_id, &*record);
        else
          key_not_looked_up(run_id, record.error());
      },
      [this, run_id](const caf::error& reason) {
        const auto why = from_caf(reason);
        if (why.code == errc::unknown_run)
          key_looked_up(run_id, nullptr);
        else
          key_not_looked_up(run_id, why);
      },
      journal_atom::value, run_id);
}

void sessions_state::key_not_looked_up(const std::string& run_id, const error& reason) {
  auto refused = std::move(looked_up_.extract(run_id).mapped());
  for (auto& each : refused.requests)
    each.promise.deliver(to_caf(reason));
  for (auto& each : refused.logs)
    each.promise.deliver(to_caf(reason));
}

void sessions_state::key_looked_up(const std::string& run_id, const run_record* known) {
  auto waiting = std::move(looked_up_.extract(run_id).mapped());
  // They are answered as if they had come only now.
  for (auto& each : waiting.logs)
    each.promise.delegate(sessions_actor(self_), events_atom::value, run_id, each.by, each.key_hash);
  for (auto& each : waiting.requests) {
    const auto started = runs_->find(run_id);
    const auto* before = started ? started.get() : known;
    if (before != nullptr && answer_again(*before, each.request, each.promise))
      continue;
    if (const auto refusal = no_room()) {
      each.promise.deliver(to_caf(*refusal));
      continue;
    }
    if (each.request.is_logged)
      each.observer = make_log(run_id, true);
    runs_->begin(run_id, each.request.session_id, each.request.agent, each.request.by.subject,
                 each.request.key_hash);
    count_begin(run_id);
    each.promise.delegate(find_or_make(each.request.session_id).handle, std::move(each.request),
                          std::move(each.observer));
  }
}

template <class Answer, class Go, class Ended>
caf::typed_response_promise<Answer> sessions_state::find_session(const std::string& run_id, const caller& by,
                                                                 Go go_on, Ended ended) {
  auto promise = self_->make_response_promise<Answer>();
  const auto failed = [promise, run_id](const caf::error& reason) mutable {
    const auto why = from_caf(reason);
    promise.deliver(to_caf(why.code == errc::unknown_run ? no_run(run_id) : why));
  };
  if (environment_->is_journaled) {
    ask<stored_run_ptr>(
        self_, environment_->store, defaults::store_timeout,
        [promise, run_id, by, go_on = std::move(go_on),
         ended = std::move(ended)](const stored_run_ptr& found) mutable {
          if (!may_see(found->owner, by)) {
            promise.deliver(to_caf(no_run(run_id)));
          } else if (!found->is_over()) {
            go_on(promise, found->session_id);
          } else if (auto record = record_from_stored(*found)) {
            ended(promise, std::make_shared<const run_record>(std::move(*record)));
          } else {
            promise.deliver(to_caf(record.error()));
          }
        },
        failed, journal_atom::value, run_id);
    return promise;
  }
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
  if (const auto refusal = no_room())
    return to_caf(*refusal);
  const auto not_paused = [](const std::string& run_id, std::string_view status) {
    return to_caf(fail(errc::conflict, fmt::format("the run '{}' is not paused but {}", run_id, status)));
  };
  if (const auto known = runs_->find(request.run_id)) {
    if (!may_see(known->owner, request.by))
      return to_caf(no_run(request.run_id));
    if (known->status != run_status::paused)
      return not_paused(request.run_id, to_string(known->status));
    if (request.is_logged)
      observer = log_that_goes_on(request.run_id);
    return self_->delegate(find_or_make(known->session_id).handle, std::move(request), std::move(observer));
  }
  const auto run_id = request.run_id;
  const auto by = request.by;
  return find_session<chat_reply>(
      run_id, by,
      [this, request = std::move(request), observer = std::move(observer)](auto& promise,
                                                                           const std::string& session_id) {
        const auto watcher = request.is_logged ? observer_actor(log_that_goes_on(request.run_id)) : observer;
        promise.delegate(find_or_make(session_id).handle, request, watcher);
      },
      [not_paused](auto& promise, const run_record_ptr& record) {
        promise.deliver(not_paused(record->run_id, to_string(record->status)));
      });
}

caf::result<run_record_ptr> sessions_state::show_run(const std::string& run_id, const caller& by) {
  if (auto known = runs_->find(run_id)) {
    if (!may_see(known->owner, by))
      return to_caf(no_run(run_id));
    return known;
  }
  return find_session<run_record_ptr>(
      run_id, by,
      [this, run_id, by](auto& promise, const std::string& session_id) {
        promise.delegate(find_or_make(session_id).handle, run_atom::value, run_id, by);
      },
      [](auto& promise, const run_record_ptr& record) { promise.deliver(record); });
}

caf::result<run_record_ptr> sessions_state::cancel(const std::string& run_id, cancel_mode mode,
                                                   const caller& by) {
  const auto reason = fail(errc::cancelled, "the run was cancelled");
  if (const auto known = runs_->find(run_id)) {
    if (!may_see(known->owner, by))
      return to_caf(no_run(run_id));
    if (known->status != run_status::running && known->status != run_status::paused)
      return to_caf(is_over(run_id, to_string(known->status)));
    self_->send(find_or_make(known->session_id).handle, cancel_atom::value, run_id, reason, mode);
    return known;
  }
  return find_session<run_record_ptr>(
      run_id, by,
      [this, run_id, reason, mode, by](auto& promise, const std::string& session_id) {
        // Whether they may is for the session to say.
        ask<run_record_ptr>(
            self_, find_or_make(session_id).handle, defaults::store_timeout,
            [this, promise, session_id, run_id, reason, mode](const run_record_ptr& paused) mutable {
              self_->send(find_or_make(session_id).handle, cancel_atom::value, run_id, reason, mode);
              promise.deliver(paused);
            },
            [promise](const caf::error& why) mutable { promise.deliver(to_caf(from_caf(why))); },
            run_atom::value, run_id, by);
      },
      [](auto& promise, const run_record_ptr& record) {
        promise.deliver(to_caf(is_over(record->run_id, to_string(record->status))));
      });
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
    runs_->forget(session_id);
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
  // A paused run's is read back from the journal when it goes on.
  if (record.status != run_status::paused || environment_->is_journaled)
    retire_log(record.run_id);
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
  for (const auto& lost : runs_->lose(dead->first)) {
    count_end(*lost);
    run_over(*lost);
  }
  if (session.is_idle())
    idle_.erase(session.place);
  under_way_ -= session.forwarded - session.handled;
  if (recovering_.erase(dead->first) > 0)
    recover_more();
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
  for (const auto& [id, log] : logs_)
    self_->send(log, wire_atom::value, caf::actor_cast<caf::strong_actor_ptr>(environment->store));
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
                  session_environment_ptr environment, sessions_limits limits,
                  const std::vector<orphaned_run>& orphans) {
  self->state.begin(std::move(environment), limits, orphans);
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
      [self](erase_atom, const std::string& session_id, acknowledgement) { self->state.erased(session_id); },
      [self](sweep_atom) { self->state.sweep(); },
      [self](expired_atom, bool cancelled_before) { self->state.expired(cancelled_before); },
      [self](wire_atom, const session_environment_ptr& now) { self->state.renew(now); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
