#pragma once

#include "actors/event_redactor.hpp"
#include "actors/run_event.hpp"
#include "actors/run_requests.hpp"
#include "apps/troupe/one_voice.hpp"
#include "libagent/core/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::cli {

struct screen_options {
  /// There is somebody at a terminal: answers bear names, thoughts are shown, and failures stand among the
  /// answers instead of on stderr.
  bool interactive = false;
  /// Use ANSI sequences.
  bool colours = false;
  /// Show tool calls, handoffs and guardrails, not only what agents say.
  bool shows_deeds = true;
  /// What agents say goes out as it is, control characters included.
  bool raw = false;
};

/// How a conversation looks on stdout. What models, tools and servers say goes through `printable`, unless it
/// is to be raw. To be used in the main thread.
class chat_screen {
public:
  explicit chat_screen(screen_options options);
  chat_screen(const chat_screen&) = delete;
  chat_screen& operator=(const chat_screen&) = delete;

  /// What happens in a streamed run, in order: texts as they grow; tool calls, handoffs, guardrails and
  /// thoughts, dimmed.
  void show(const run_event& event);
  /// The end of a run: its answer, unless that was the last text shown.
  void show(const chat_reply& reply);
  /// The end of a run that failed, or something else that did.
  void show(const error& reason);
  /// The end of a run of which nothing more is to be shown here.
  void finish();
  /// What Troupe itself says to the person.
  void say(std::string_view text);

  /// Whether all could be written so far.
  bool works() const noexcept { return works_; }

private:
  enum class line { none, text, thought };

  void render(const run_event& event);
  void render(const text_streamed& what);
  void render(const reasoning_streamed& what);
  void begin_text(const std::string& agent);
  void put(std::string_view text);
  std::string cleaned(std::string_view text) const;
  void end_line();
  void write(std::string_view text, const char* style);

  /// What secrets and voices have held back.
  void finish_voices();

  screen_options options_;
  event_redactor cleaner_;
  one_voice voices_;
  /// What the line under way is, and whose.
  line line_ = line::none;
  std::string agent_;
  /// The text shown last in this run.
  std::optional<std::string> text_;
  bool works_ = true;
};

/// Whether ANSI sequences are welcome on stdout: a terminal, not a dumb one, and no NO_COLOR in the
/// environment (no-color.org).
bool wants_colours();

} // namespace troupe::cli
