#pragma once

#include "actors/messages.hpp"
#include "libagent/core/result.hpp"

#include <string>
#include <string_view>

namespace troupe::cli {

/// How a conversation looks on stdout. All that models, tools and servers say goes through `printable`.
/// To be used in the main thread.
class chat_screen {
public:
  /// `interactive`: there is somebody at a terminal; answers then bear names, and failures stand among them
  /// instead of on stderr. `colours`: use ANSI sequences.
  chat_screen(bool interactive, bool colours) : interactive_(interactive), colours_(colours) {}

  /// Handoffs and tool calls as they happen, dimmed.
  void show(const run_event& event);
  void show(const chat_reply& reply);
  void show(const error& reason);
  /// What Troupe itself says to the person.
  void say(std::string_view text);

private:
  void write(std::string_view text, const char* style);

  bool interactive_;
  bool colours_;
};

/// Whether ANSI sequences are welcome on stdout: a terminal, not a dumb one, and no NO_COLOR in the
/// environment (no-color.org).
bool wants_colours();

} // namespace troupe::cli
