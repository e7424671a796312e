#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::cli {

/// What all subcommands take.
struct common_options {
  /// Empty: `troupe.yaml` in the working directory.
  std::string config;
  /// One of spdlog's names; empty means the subcommand's own default.
  std::string log_level;
  bool log_json = false;
};

struct serve_options {
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  /// Listen where other machines reach it although anybody may ask.
  bool insecure = false;
};

struct chat_options {
  std::string agent;
  std::optional<std::string> session;
};

struct run_options {
  std::string agent;
  std::optional<std::string> session;
  bool json = false;
  /// Print texts as they come.
  bool stream = false;
  /// Tell on stderr what the run used.
  bool usage = false;
  /// JSON text; empty if not given.
  std::string context;
  /// "KEY=VALUE" each.
  std::vector<std::string> budget;
  /// "-" stands for standard input. Empty when a run is resumed.
  std::string prompt;

  /// The paused run to go on with; empty for a new one.
  std::string resume;
  /// Ids, or "all".
  std::vector<std::string> approve;
  /// "ID" or "ID=MESSAGE" each.
  std::vector<std::string> reject;
  /// "ID=JSON" each.
  std::vector<std::string> arguments;
  /// For calls in doubt: ids; "ID=TEXT" each; "ID" or "ID=MESSAGE" each.
  std::vector<std::string> repeat;
  std::vector<std::string> result;
  std::vector<std::string> fail;
};

struct check_options {
  bool json = false;
};

struct journal_options {
  enum class action { check, dump };
  action what = action::check;
  bool json = false;
  /// For `dump`: only this run.
  std::string run_id;
};

/// `key new`
struct key_options {
  std::string name = "default";
};

struct command_line {
  common_options common;
  std::variant<serve_options, chat_options, run_options, check_options, journal_options, key_options> command;
};

/// Reads the command line. When there is nothing to do (help, version, an error), what there is to say has
/// been printed, to stdout or stderr, and the exit code is returned.
std::variant<command_line, int> read_command_line(int argc, const char* const* argv);

} // namespace troupe::cli
