#pragma once

#include "actors/interfaces.hpp"
#include "apps/troupe/channel.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/stop_signals.hpp"

#include <functional>
#include <memory>

namespace troupe::cli {

/// One prompt on its way, watched from the main thread.
class watched_run {
public:
  /// Sends the prompt. The request's `run_id` is chosen here.
  watched_run(host& where, std::chrono::milliseconds run_timeout, chat_request request);
  ~watched_run();
  watched_run(const watched_run&) = delete;
  watched_run& operator=(const watched_run&) = delete;

  /// What comes next: an event of the run, then at last its answer or failure; or the number of a signal.
  std::variant<run_event, result<chat_reply>, int> next(stop_signals& signals);
  /// Asks for the run's end; its answer (most likely the failure `cancelled`) still comes.
  void cancel();

private:
  using news = std::variant<run_event, result<chat_reply>>;

  sessions_actor sessions_;
  std::string session_id_;
  std::uint64_t run_id_;
  std::shared_ptr<channel<news>> out_;
  observer_actor watcher_;
};

} // namespace troupe::cli
