#pragma once

#include "apps/troupe/approval_dialog.hpp"
#include "apps/troupe/chat_screen.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/stop_signals.hpp"
#include "apps/troupe/watched_run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::cli {

/// What a chat talks to, and where it stands.
class conversation {
public:
  /// `approvals` asks the person where a run pauses; null if there is nobody to ask.
  /// `config`: the agent file as the user named it.
  conversation(host& where, const std::string& config, chat_screen& screen, approval_dialog* approvals,
               stop_signals& signals, std::chrono::milliseconds run_timeout);

  /// Goes on with that session, or begins it: first, to their ends, with what a crash has left of it. False
  /// if the store failed, which has been shown.
  bool open(const std::string& session_id);
  /// Goes on with the paused run that the opened session has, if it has one and there is somebody to ask.
  void settle();
  /// Goes on in a session of its own.
  void begin_anew();
  /// Has that agent answer the next prompt; the conversation then goes on with whoever answered. False if
  /// there is no such agent.
  bool select(const std::string& agent);
  /// The agent that will answer next.
  const std::string& agent() const noexcept { return agent_; }
  const std::string& session_id() const noexcept { return session_id_; }

  /// Runs a prompt and shows what happens. SIGINT cancels the run. Where it pauses, the person is asked;
  /// where there is nobody, what it waits for goes to stderr, and the session's next prompt cancels it. False
  /// if a run failed.
  bool say(const std::string& prompt);
  /// Shows the tools that the next agent has.
  void show_tools();

  /// A signal to end the program came.
  std::optional<int> stopped_by() const noexcept { return stopped_by_; }
  /// Input ended where the person was asked.
  bool is_left() const noexcept { return is_left_; }
  /// A run was left waiting for an approval.
  bool leaves_run_paused() const noexcept { return leaves_run_paused_; }

private:
  /// How a run came out; nothing if there is no more to do about it.
  using outcome = std::optional<result<chat_reply>>;

  outcome send(const std::string& prompt, const std::string& agent);
  outcome follow(watched_run& going);
  /// Shows an outcome. Before that, goes on with the run for as long as it pauses and somebody says how.
  bool finish(outcome came);
  outcome ask_and_resume(const std::string& run_id, std::vector<interruption> open);
  bool settle(const std::string& run_id);
  void tell_pause(const chat_reply& reply);
  void cancel(const std::string& run_id);
  /// An actor's answer. If there is none, why has been shown or noted.
  template <class T, class Handle, class... Ts>
  std::optional<T> ask_actor(const Handle& whom, std::chrono::milliseconds timeout, Ts... words);

  host& where_;
  std::string config_;
  chat_screen& screen_;
  approval_dialog* approvals_;
  stop_signals& signals_;
  std::chrono::milliseconds run_timeout_;
  std::string session_id_;
  bool is_new_ = true;
  std::string agent_;
  /// `agent_` was chosen by the user and has not answered yet.
  bool selected_ = false;
  /// The paused run that the session had when it was opened.
  std::string old_run_;
  /// The paused run of this conversation's that the next prompt cancels.
  std::string paused_run_;
  bool leaves_run_paused_ = false;
  bool is_left_ = false;
  std::optional<int> stopped_by_;
};

} // namespace troupe::cli
