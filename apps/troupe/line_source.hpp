#pragma once

#include "apps/troupe/stop_signals.hpp"

#include <memory>
#include <string>
#include <variant>

namespace troupe::cli {

/// No more lines will come.
struct end_of_input {};

/// A line without its newline, the end, or the number of a signal that came while waiting.
using input_line = std::variant<std::string, end_of_input, int>;

/// Where the lines of a conversation come from. To be used in the main thread.
class line_source {
public:
  virtual ~line_source() = default;
  /// Waits for a line; `prompt` is shown where there is somebody to read it.
  virtual input_line next(const std::string& prompt, stop_signals& signals) = 0;
  /// The same for an answer to a question: it is no part of the history, and at a terminal keys that were
  /// pressed before the question do not count. `draft` stands there to be edited.
  virtual input_line ask(const std::string& prompt, const std::string& draft, stop_signals& signals) = 0;
};

/// Standard input as it comes; shows no prompt. A last line without a newline counts.
std::unique_ptr<line_source> make_piped_lines();

/// The terminal, with editing and history (libedit). The history is kept in
/// `${XDG_STATE_HOME:-~/.local/state}/troupe/history`, readable by its owner only; if that cannot be, it ends
/// with the program. Takes UTF-8 where the locale does.
std::unique_ptr<line_source> make_line_editor();

} // namespace troupe::cli
