#include "apps/troupe/watched_run.hpp"

#include "apps/troupe/defaults.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe::cli {

namespace {

/// Sends the request and passes on what it hears of the run: events and the answer come through one mailbox,
/// and so in the order in which they were sent.
template <class Request, class Out>
watcher_actor::behavior_type watch(watcher_actor::pointer self, const sessions_actor& sessions,
                                   const Request& request, std::chrono::milliseconds timeout, Out out) {
  self->request(sessions, timeout, request, observer_actor{self})
      .then(
          [self, out](const chat_reply& reply) {
            out->push(result<chat_reply>{reply});
            self->quit();
          },
          [self, out](const caf::error& reason) {
            out->push(result<chat_reply>{from_caf(reason)});
            self->quit();
          });
  const auto streamed = request.streamed;
  return {
      [self, out, streamed](const run_event& event) {
        // That a run begins is told by its session, which waits for nothing.
        const auto waits = streamed && !std::holds_alternative<run_started>(event);
        out->push(
            watched_event{event, waits ? caf::actor_cast<run_actor>(self->current_sender()) : run_actor{}});
      },
      // Who sent the request cancels it, or else that could come first.
      [sessions, run_id = request.run_id](cancel_atom) {
        caf::anon_send(sessions, cancel_atom::value, run_id, cancel_mode::at_once);
      },
  };
}

} // namespace

watched_run::watched_run(host& where, std::chrono::milliseconds run_timeout, chat_request request)
    : watched_run(request.run_id = new_run_id()) {
  begin(where, run_timeout, std::move(request));
}

watched_run::watched_run(host& where, std::chrono::milliseconds run_timeout, resume_request request)
    : watched_run(request.run_id) {
  begin(where, run_timeout, std::move(request));
}

watched_run::watched_run(std::string run_id)
    : run_id_(std::move(run_id)), out_(std::make_shared<channel<news>>()) {}

template <class Request>
void watched_run::begin(host& where, std::chrono::milliseconds run_timeout, Request request) {
  watcher_ = where.system().spawn(watch<Request, std::shared_ptr<channel<news>>>, where.agents().sessions(),
                                  std::move(request), run_timeout + defaults::patience_beyond_deadline, out_);
}

watched_run::~watched_run() {
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
}

std::variant<run_event, result<chat_reply>, int> watched_run::next(stop_signals& signals) {
  if (const auto waiting = std::exchange(to_acknowledge_, nullptr))
    caf::anon_send(waiting, consumed_atom::value, std::uint64_t{1});
  while (true) {
    if (const auto number = signals.wait(out_->descriptor()))
      return *number;
    auto came = out_->pop();
    if (!came)
      continue;
    if (auto* outcome = std::get_if<result<chat_reply>>(&*came))
      return std::move(*outcome);
    auto& seen = std::get<watched_event>(*came);
    to_acknowledge_ = std::move(seen.sender);
    return std::move(seen.event);
  }
}

void watched_run::cancel() {
  caf::anon_send(watcher_, cancel_atom::value);
}

} // namespace troupe::cli
