#include "apps/troupe/watched_run.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>

namespace troupe::cli {

namespace {

/// The runtime itself ends a run at its deadline; this is only for an answer that never comes.
constexpr auto patience_beyond_deadline = std::chrono::seconds{30};

std::uint64_t next_run_id() {
  static auto last = std::atomic<std::uint64_t>{0};
  return ++last;
}

/// Sends the request and passes on what it hears of the run: events and the answer come through one mailbox,
/// and so in the order in which they were sent.
template <class Out>
observer_actor::behavior_type watch(observer_actor::pointer self, const sessions_actor& sessions,
                                    const chat_request& request, std::chrono::milliseconds timeout, Out out) {
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
  return {[out](const run_event& event) { out->push(event); }};
}

} // namespace

watched_run::watched_run(host& where, std::chrono::milliseconds run_timeout, chat_request request)
    : sessions_(where.agents().sessions()), session_id_(request.session_id), run_id_(next_run_id()),
      out_(std::make_shared<channel<news>>()) {
  request.run_id = run_id_;
  watcher_ = where.system().spawn(watch<std::shared_ptr<channel<news>>>, sessions_, std::move(request),
                                  run_timeout + patience_beyond_deadline, out_);
}

watched_run::~watched_run() {
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
}

std::variant<run_event, result<chat_reply>, int> watched_run::next(stop_signals& signals) {
  while (true) {
    if (const auto number = signals.wait(out_->descriptor()))
      return *number;
    if (auto came = out_->pop())
      return std::visit(
          [](auto& what) -> std::variant<run_event, result<chat_reply>, int> { return std::move(what); },
          *came);
  }
}

void watched_run::cancel() {
  caf::anon_send(sessions_, cancel_atom::value, session_id_, run_id_);
}

} // namespace troupe::cli
