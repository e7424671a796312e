#pragma once

#include <histedit.h>

#include <filesystem>
#include <string>

namespace troupe::cli {

/// The lines that were entered, in memory for the editor and in a file for the next time. Never throws: a
/// file that cannot be written is done without.
class chat_history {
public:
  /// Loads the file, and cuts it to the bound if it has outgrown it.
  explicit chat_history(std::filesystem::path file);
  ~chat_history();
  chat_history(const chat_history&) = delete;
  chat_history& operator=(const chat_history&) = delete;

  void add(const std::string& line);
  /// For `EL_HIST`.
  History* handle() noexcept { return history_; }

private:
  std::filesystem::path file_;
  History* history_;
};

/// `${XDG_STATE_HOME:-~/.local/state}/troupe/history`; empty if neither variable helps.
std::filesystem::path history_file();

} // namespace troupe::cli
