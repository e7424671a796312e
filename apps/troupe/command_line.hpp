#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

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
};

struct chat_options {
  std::string agent;
  std::optional<std::string> session;
};

struct run_options {
  std::string agent;
  std::optional<std::string> session;
  bool json = false;
  /// "-" stands for standard input.
  std::string prompt;
};

struct check_options {
  bool json = false;
};

struct command_line {
  common_options common;
  std::variant<serve_options, chat_options, run_options, check_options> command;
};

/// Reads the command line. When there is nothing to do (help, version, an error), what there is to say has
/// been printed, to stdout or stderr, and the exit code is returned.
std::variant<command_line, int> read_command_line(int argc, const char* const* argv);

} // namespace troupe::cli
