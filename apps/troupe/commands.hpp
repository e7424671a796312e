#pragma once

#include "apps/troupe/command_line.hpp"
#include "apps/troupe/stop_signals.hpp"

/// The subcommands. Each returns the exit code.
namespace troupe::cli {

/// Serves REST until a signal comes.
int serve(const common_options& common, const serve_options& options, stop_signals& signals);
/// A conversation, in the terminal or with piped input.
int chat(const common_options& common, const chat_options& options, stop_signals& signals);
/// One prompt, one answer.
int run(const common_options& common, const run_options& options, stop_signals& signals);
/// Makes an API key and prints it, and what to write into the agent file.
int new_key(const key_options& options);
/// Tries what the agent file says.
int check(const common_options& common, const check_options& options, stop_signals& signals);
/// Looks at the journal of runs: whether it is sound, or what is in it.
int journal(const common_options& common, const journal_options& options);

} // namespace troupe::cli
