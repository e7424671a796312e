#pragma once

#include "apps/troupe/chat_screen.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/stop_signals.hpp"
#include "apps/troupe/watched_run.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace troupe::cli {

/// The runs of one session that others did not live to end, and that this program goes on with: says on
/// stderr that it does, and what comes of them. To be used in the main thread.
class unfinished_runs {
public:
  /// Where there is somebody to talk with: on which screen. The answers are shown there, what paused runs
  /// wait for is asked later, and SIGINT cancels.
  /// `config`: the agent file as the user named it.
  unfinished_runs(host& house, const std::string& config, std::chrono::milliseconds run_timeout,
                  stop_signals& signals, chat_screen* talk = nullptr);

  /// Empty if there are none.
  std::string session_id() const;
  bool has(const std::string& run_id) const;
  /// Until each of them is over, has paused or waits for a paused one; the number of the signal that came
  /// first. That one is not waited for, which the caller does.
  std::optional<int> watch(const std::string& except = {});
  /// The paused run that those wait for which have not begun; empty if none does.
  const std::string& blocker() const noexcept { return blocker_; }
  /// One that others wait for.
  watched_run join(const std::string& run_id) const;
  /// How long a prompt may take that comes after all of them.
  std::chrono::milliseconds patience() const;

private:
  const std::vector<orphaned_run>& all() const { return house_.agents().taken_up(); }
  /// The paused run that is in the way of all of them; the number of a signal.
  std::optional<int> find_blocker();
  std::optional<int> follow(const std::string& run_id);
  void tell(const std::string& run_id, const result<chat_reply>& outcome);

  host& house_;
  std::string config_;
  std::chrono::milliseconds run_timeout_;
  stop_signals& signals_;
  chat_screen* talk_;
  std::string blocker_;
};

} // namespace troupe::cli
