#pragma once

/// What the program tells its caller; docs/cli.md has the list for users.
namespace troupe::cli::exit_code {

inline constexpr int ok = 0;
/// A run failed, a check found something wrong, a port could not be bound.
inline constexpr int failed = 1;
/// The command line or the agent file cannot be used.
inline constexpr int usage = 2;
/// A run waits for an approval.
inline constexpr int paused = 4;
/// Added to the number of the signal that ended the program, as shells do.
inline constexpr int signal_base = 128;

} // namespace troupe::cli::exit_code
