#pragma once

#include "apps/troupe/chat_screen.hpp"
#include "apps/troupe/line_source.hpp"
#include "apps/troupe/stop_signals.hpp"
#include "libagent/run/interruption.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::cli {

/// The person has no answer now: input has ended.
struct undecided {};

/// One decision for each interruption; or none; or the number of a signal, which SIGINT means as "cancel the
/// run".
using decided = std::variant<std::vector<decision>, undecided, int>;

/// Asks the person at the terminal about the calls that a paused run waits for. To be used in the main
/// thread.
class approval_dialog {
public:
  approval_dialog(chat_screen& screen, line_source& lines, stop_signals& signals)
      : screen_(screen), lines_(lines), signals_(signals) {}

  /// One after the other.
  decided ask(const std::vector<interruption>& open);

private:
  /// Nothing if it came to an end instead: see `ended_`.
  std::optional<decision> ask(const interruption& open);
  /// The same about a call in doubt.
  std::optional<decision> settle(const interruption& open);
  std::optional<decision> reject(const interruption& open);
  /// Also nothing if the person thought better of it.
  std::optional<decision> edit(const interruption& open);
  std::optional<std::string> read_text(const std::string& prompt);
  std::optional<std::string> read(const std::string& prompt, const std::string& draft = {});

  chat_screen& screen_;
  line_source& lines_;
  stop_signals& signals_;
  std::optional<std::variant<undecided, int>> ended_;
};

} // namespace troupe::cli
