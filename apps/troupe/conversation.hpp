#pragma once

#include "apps/troupe/chat_screen.hpp"
#include "apps/troupe/host.hpp"
#include "apps/troupe/stop_signals.hpp"

#include <optional>
#include <string>

namespace troupe::cli {

/// What a chat talks to, and where it stands.
class conversation {
public:
  conversation(host& where, chat_screen& screen, stop_signals& signals,
               std::chrono::milliseconds run_timeout);

  /// Goes on with that session, or begins it. False if the store failed, which has been shown.
  bool open(const std::string& session_id);
  /// Goes on in a session of its own.
  void begin_anew();
  /// Has that agent answer the next prompt; the conversation then goes on with whoever answered. False if
  /// there is no such agent.
  bool select(const std::string& agent);
  /// The agent that will answer next.
  const std::string& agent() const noexcept { return agent_; }
  const std::string& session_id() const noexcept { return session_id_; }

  /// Runs a prompt and shows what happens. SIGINT cancels the run. False if the run failed.
  bool say(const std::string& prompt);
  /// Shows the tools that the next agent has.
  void show_tools();

  /// A signal to end the program came.
  std::optional<int> stopped_by() const noexcept { return stopped_by_; }

private:
  host& where_;
  chat_screen& screen_;
  stop_signals& signals_;
  std::chrono::milliseconds run_timeout_;
  std::string session_id_;
  bool is_new_ = true;
  std::string agent_;
  /// `agent_` was chosen by the user and has not answered yet.
  bool selected_ = false;
  std::optional<int> stopped_by_;
};

} // namespace troupe::cli
