#pragma once

#include "actors/interfaces.hpp"
#include "apps/troupe/channel.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/stop_signals.hpp"

#include <memory>
#include <string>
#include <variant>

namespace troupe::cli {

/// An event, and who waits for a word that it was dealt with; null if nobody does.
struct watched_event {
  run_event event;
  run_actor sender;
};

/// Passes on what it hears of a run; is told to end it by `cancel_atom`.
using watcher_actor = observer_actor::extend<caf::reacts_to<cancel_atom>>;

/// One run on its way, watched from the main thread.
class watched_run {
public:
  /// Sends the prompt. The request's `run_id` is chosen here.
  watched_run(host& where, std::chrono::milliseconds run_timeout, chat_request request);
  /// Goes on with a paused run.
  watched_run(host& where, std::chrono::milliseconds run_timeout, resume_request request);
  ~watched_run();
  watched_run(const watched_run&) = delete;
  watched_run& operator=(const watched_run&) = delete;

  /// What comes next: an event of the run, then at last its answer or failure; or the number of a signal. To
  /// ask for more says that the event before is dealt with: a streamed run goes only so far ahead of that.
  std::variant<run_event, result<chat_reply>, int> next(stop_signals& signals);
  /// Asks for the run's end; its answer (most likely the failure `cancelled`) still comes.
  void cancel();

  const std::string& run_id() const noexcept { return run_id_; }

private:
  using news = std::variant<watched_event, result<chat_reply>>;

  explicit watched_run(std::string run_id);
  template <class Request>
  void begin(host& where, std::chrono::milliseconds run_timeout, Request request);

  std::string run_id_;
  std::shared_ptr<channel<news>> out_;
  watcher_actor watcher_;
  run_actor to_acknowledge_;
};

} // namespace troupe::cli
