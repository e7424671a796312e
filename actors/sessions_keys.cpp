#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/sessions.hpp"
#include "actors/stored_run_json.hpp"

// Requests that are named by a key.
namespace troupe {

error sessions_state::other_request(const std::string& run_id, const std::string& session_id) {
  auto refusal = fail(errc::invalid_argument,
                      "the idempotency key was used with another request; a key names one request");
  refusal.facts = std::make_shared<const json>(json{{"run_id", run_id}, {"session_id", session_id}});
  return refusal;
}

bool sessions_state::answer_again(const run_record& known, const chat_request& request,
                                  caf::typed_response_promise<chat_reply>& promise) {
  if (known.key_hash != request.key_hash) {
    promise.deliver(to_caf(other_request(known.run_id, known.session_id)));
    return true;
  }
  // It was never carried out.
  if (known.is_refused)
    return false;
  const auto here = runs_->find(known.run_id);
  const bool is_ours = here && here->status == known.status;
  if (!is_ours && known.status == run_status::paused) {
    // The session knows what it waits for.
    ask<run_record_ptr>(
        self_, find_or_make(known.session_id).handle, defaults::store_timeout,
        [promise](const run_record_ptr& paused) mutable {
          if (auto reply = reply_of(*paused))
            promise.deliver(std::move(*reply));
          else
            promise.deliver(to_caf(reply.error()));
        },
        [promise](const caf::error& reason) mutable { promise.deliver(to_caf(from_caf(reason))); },
        run_atom::value, known.run_id, request.by);
  } else if (!is_ours && known.status == run_status::running) {
    // Another server carries it.
    chat_reply reply;
    reply.session_id = known.session_id;
    reply.run_id = known.run_id;
    reply.status = run_status::running;
    promise.deliver(std::move(reply));
  } else if (known.status == run_status::running && request.background) {
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
        auto record = record_from_stored(*found);
        if (!record)
          return key_not_looked_up(run_id, record.error());
        const auto known = std::make_shared<const run_record>(std::move(*record));
        if (known->status != run_status::running)
          return key_looked_up(run_id, known.get());
        auto head = std::make_shared<run_head>();
        head->run_id = run_id;
        head->session_id = known->session_id;
        look_for_left(std::move(head), [this, run_id, known] { key_looked_up(run_id, known.get()); });
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
    const bool has_moved =
        started && known != nullptr && may_have_moved(*started) && known->status != run_status::paused;
    const auto* before = started && !has_moved ? started.get() : known;
    if (before != nullptr && answer_again(*before, each.request, each.promise))
      continue;
    if (const auto refusal = no_room()) {
      each.promise.deliver(to_caf(*refusal));
      continue;
    }
    const auto& session = take_in(each.request, each.observer);
    each.promise.delegate(session.handle, std::move(each.request), std::move(each.observer));
  }
}

} // namespace troupe
