#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/run_log.hpp"
#include "actors/sessions.hpp"
#include "actors/stored_run_json.hpp"

#include <caf/actor_cast.hpp>

#include <fmt/format.h>

// Runs that were begun before.
namespace troupe {

namespace {

error no_run(const std::string& run_id) {
  return fail(errc::unknown_run, fmt::format("there is no run '{}'", run_id));
}

error is_over(const std::string& run_id, std::string_view status) {
  return fail(errc::conflict, fmt::format("the run '{}' is over: it is {}", run_id, status));
}

error is_elsewhere(const std::string& run_id) {
  return fail(errc::conflict, fmt::format("the run '{}' is carried by another server", run_id));
}

caf::error not_paused(const std::string& run_id, std::string_view status) {
  return to_caf(fail(errc::conflict, fmt::format("the run '{}' is not paused but {}", run_id, status)));
}

} // namespace

template <class Answer, class Go>
caf::typed_response_promise<Answer> sessions_state::find_run(const std::string& run_id, const caller& by,
                                                             Go go_on) {
  auto promise = self_->make_response_promise<Answer>();
  const auto failed = [promise, run_id](const caf::error& reason) mutable {
    const auto why = from_caf(reason);
    promise.deliver(to_caf(why.code == errc::unknown_run ? no_run(run_id) : why));
  };
  if (environment_->is_journaled) {
    ask<run_head_ptr>(
        self_, environment_->store, defaults::store_timeout,
        [promise, run_id, by, go_on = std::move(go_on)](const run_head_ptr& found) mutable {
          if (may_see(found->owner, by))
            go_on(promise, found);
          else
            promise.deliver(to_caf(no_run(run_id)));
        },
        failed, head_atom::value, run_id);
    return promise;
  }
  ask<std::string>(
      self_, environment_->store, defaults::store_timeout,
      [this, promise, run_id, by, failed, go_on = std::move(go_on)](const std::string& session_id) mutable {
        auto found = std::make_shared<run_head>();
        found->run_id = run_id;
        found->session_id = session_id;
        found->status = to_string(run_status::paused);
        // Whether they may is for the session to say.
        ask<run_record_ptr>(
            self_, find_or_make(session_id).handle, defaults::store_timeout,
            [promise, found = run_head_ptr(std::move(found)),
             go_on = std::move(go_on)](const run_record_ptr&) mutable { go_on(promise, found); },
            failed, run_atom::value, run_id, by);
      },
      failed, run_atom::value, run_id);
  return promise;
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
      return to_caf(other_request(run_id, known->session_id));
    if (const auto log = logs_.find(run_id); log != logs_.end())
      return handle(log->second);
    if (!environment_->is_journaled)
      return to_caf(fail(errc::unknown_run, fmt::format("the events of the run '{}' are not kept", run_id)));
  }
  return find_run<caf::strong_actor_ptr>(
      run_id, by, [this, handle, key_hash](auto& promise, const run_head_ptr& run) {
        // Only a journal knows keys.
        if (environment_->is_journaled && !key_hash.empty() && key_hash != run->key_hash) {
          promise.deliver(to_caf(other_request(run->run_id, run->session_id)));
          return;
        }
        auto tell = [this, handle, promise, run]() mutable {
          // It may go on meanwhile.
          if (const auto log = logs_.find(run->run_id); log != logs_.end()) {
            promise.deliver(handle(log->second));
            return;
          }
          if (!environment_->is_journaled) {
            promise.deliver(handle(make_log(run->run_id, false)));
            retire_log(run->run_id);
            return;
          }
          // Nobody here tells of it.
          auto setup = log_setup(run->run_id);
          setup.follows = true;
          promise.deliver(handle(self_->spawn(run_log_behavior, std::move(setup))));
        };
        if (run->is_over() || run->status == to_string(run_status::paused))
          tell();
        else
          look_for_left(run, tell);
      });
}

caf::result<chat_reply> sessions_state::join(const resume_request& request) {
  const auto known = runs_->find(request.run_id);
  if (known && !may_see(known->owner, request.by))
    return to_caf(no_run(request.run_id));
  if (!known || may_have_moved(*known)) {
    // It may have ended at once, and be known to the journal alone.
    auto promise = self_->make_response_promise<chat_reply>();
    ask<run_record_ptr>(
        self_, sessions_actor(self_), defaults::store_timeout,
        [this, promise](const run_record_ptr& run) mutable {
          // It may just have been taken up.
          if (is_under_way(run->run_id))
            waiters_[run->run_id].push_back(promise);
          else if (run->status == run_status::running)
            promise.deliver(to_caf(is_elsewhere(run->run_id)));
          else if (auto reply = reply_of(*run))
            promise.deliver(std::move(*reply));
          else
            promise.deliver(to_caf(reply.error()));
        },
        [promise](const caf::error& reason) mutable { promise.deliver(to_caf(from_caf(reason))); },
        run_atom::value, request.run_id, request.by);
    return promise;
  }
  if (known->status == run_status::running) {
    auto promise = self_->make_response_promise<chat_reply>();
    waiters_[request.run_id].push_back(promise);
    return promise;
  }
  auto reply = reply_of(*known);
  if (!reply)
    return to_caf(reply.error());
  return std::move(*reply);
}

caf::result<chat_reply> sessions_state::resume(resume_request&& request, observer_actor observer) {
  if (stopping_)
    return to_caf(fail(errc::shutting_down, "the server is shutting down"));
  if (request.only_joins)
    return join(request);
  if (const auto refusal = no_room())
    return to_caf(*refusal);
  if (const auto known = runs_->find(request.run_id)) {
    if (!may_see(known->owner, request.by))
      return to_caf(no_run(request.run_id));
    if (known->status != run_status::paused)
      return not_paused(request.run_id, to_string(known->status));
    if (may_have_moved(*known))
      return resume_stored(std::move(request), std::move(observer));
    observer = watcher_of(request, observer);
    return self_->delegate(find_or_make(known->session_id).handle, std::move(request), std::move(observer));
  }
  return resume_stored(std::move(request), std::move(observer));
}

caf::result<chat_reply> sessions_state::resume_stored(resume_request&& request, observer_actor observer) {
  const auto run_id = request.run_id;
  const auto by = request.by;
  return find_run<chat_reply>(
      run_id, by,
      [this, request = std::move(request), observer = std::move(observer)](auto& promise,
                                                                           const run_head_ptr& run) mutable {
        auto refuse = [promise, run](std::string_view status) mutable {
          promise.deliver(not_paused(run->run_id, status));
        };
        if (is_under_way(run->run_id) || run->is_over())
          return refuse(run->is_over() ? run->status : to_string(run_status::running));
        if (run->status != to_string(run_status::paused))
          return look_for_left(run, [refuse, run]() mutable { refuse(run->status); });
        const auto watcher = watcher_of(request, observer);
        promise.delegate(find_or_make(run->session_id).handle, std::move(request), watcher);
      });
}

void sessions_state::show_open(caf::typed_response_promise<run_record_ptr> promise, const run_head_ptr& run,
                               const caller& by) {
  const auto known = runs_->find(run->run_id);
  if (run->status == to_string(run_status::paused) && known) {
    promise.deliver(known);
    return;
  }
  if (run->status == to_string(run_status::paused)) {
    promise.delegate(find_or_make(run->session_id).handle, run_atom::value, run->run_id, by);
    return;
  }
  look_for_left(run, [this, promise, run]() mutable {
    if (is_under_way(run->run_id))
      promise.deliver(runs_->find(run->run_id));
    else if (auto record = record_from_head(*run))
      promise.deliver(std::make_shared<const run_record>(std::move(*record)));
    else
      promise.deliver(to_caf(record.error()));
  });
}

caf::result<run_record_ptr> sessions_state::show_run(const std::string& run_id, const caller& by) {
  if (auto known = runs_->find(run_id)) {
    if (!may_see(known->owner, by))
      return to_caf(no_run(run_id));
    if (!may_have_moved(*known))
      return known;
  }
  return find_run<run_record_ptr>(run_id, by, [this, by](auto& promise, const run_head_ptr& run) {
    if (!run->is_over())
      return show_open(promise, run, by);
    note_moved(*run);
    ask<stored_run_ptr>(
        self_, environment_->store, defaults::store_timeout,
        [promise](const stored_run_ptr& found) mutable {
          if (auto record = record_from_stored(*found))
            promise.deliver(std::make_shared<const run_record>(std::move(*record)));
          else
            promise.deliver(to_caf(record.error()));
        },
        [promise](const caf::error& reason) mutable { promise.deliver(to_caf(from_caf(reason))); },
        journal_atom::value, run->run_id);
  });
}

caf::result<run_record_ptr> sessions_state::show_head(const std::string& run_id, const caller& by) {
  if (const auto known = runs_->find(run_id); known && !may_have_moved(*known))
    return show_run(run_id, by);
  return find_run<run_record_ptr>(run_id, by, [this, by](auto& promise, const run_head_ptr& run) {
    if (!run->is_over())
      return show_open(promise, run, by);
    note_moved(*run);
    if (auto record = record_from_head(*run))
      promise.deliver(std::make_shared<const run_record>(std::move(*record)));
    else
      promise.deliver(to_caf(record.error()));
  });
}

caf::result<run_record_ptr> sessions_state::cancel(const std::string& run_id, cancel_mode mode,
                                                   const caller& by) {
  const auto reason = fail(errc::cancelled, "the run was cancelled");
  if (const auto known = runs_->find(run_id); known && !may_have_moved(*known)) {
    if (!may_see(known->owner, by))
      return to_caf(no_run(run_id));
    if (known->status != run_status::running && known->status != run_status::paused)
      return to_caf(is_over(run_id, to_string(known->status)));
    self_->send(find_or_make(known->session_id).handle, cancel_atom::value, run_id, reason, mode);
    return known;
  }
  return find_run<run_record_ptr>(
      run_id, by, [this, reason, mode, by](auto& promise, const run_head_ptr& run) {
        if (run->is_over()) {
          promise.deliver(to_caf(is_over(run->run_id, run->status)));
          return;
        }
        if (run->status != to_string(run_status::paused))
          return look_for_left(run, [this, promise, run, mode, by]() mutable {
            if (is_under_way(run->run_id))
              promise.delegate(sessions_actor(self_), cancel_atom::value, run->run_id, mode, by);
            else
              promise.deliver(to_caf(is_elsewhere(run->run_id)));
          });
        if (const auto known = runs_->find(run->run_id)) {
          self_->send(find_or_make(run->session_id).handle, cancel_atom::value, run->run_id, reason, mode);
          promise.deliver(known);
          return;
        }
        // Whether they may is for the session to say.
        ask<run_record_ptr>(
            self_, find_or_make(run->session_id).handle, defaults::store_timeout,
            [this, promise, run, reason, mode](const run_record_ptr& paused) mutable {
              self_->send(find_or_make(run->session_id).handle, cancel_atom::value, run->run_id, reason,
                          mode);
              promise.deliver(paused);
            },
            [promise](const caf::error& why) mutable { promise.deliver(to_caf(from_caf(why))); },
            run_atom::value, run->run_id, by);
      });
}

} // namespace troupe
