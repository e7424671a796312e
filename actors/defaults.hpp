#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::defaults {

using namespace std::chrono_literals;

/// Beyond a run's own deadline, until whoever waits for the run gives it up: the run answers by itself long
/// before.
inline constexpr auto run_answer_grace = 5000ms;

/// Beyond a run's deadline, for its `after_run` hooks. Less than `run_answer_grace`.
inline constexpr auto after_run_grace = 4000ms;

/// For an answer of the session store; a disk that takes longer is as good as broken.
inline constexpr auto store_timeout = 30'000ms;

/// For an answer that an actor gives at once (states, names).
inline constexpr auto quick_answer = 5000ms;

/// For a part of the system to tell how it is; one that does not counts as not answering. Less than
/// `http::defaults::status_timeout`.
inline constexpr auto part_status = 1000ms;

/// How actors are started again that end by a failure: the first time at once.
inline constexpr auto actor_backoff = 50ms;
inline constexpr auto actor_max_backoff = 5000ms;
inline constexpr unsigned actor_max_restarts = 3;
inline constexpr auto actor_restarts_within = 5000ms;
inline constexpr auto actor_cooldown = 10'000ms;
inline constexpr auto actor_stable_after = 60'000ms;
/// For a front end to listen. Host names may have to be looked up for that.
inline constexpr auto front_opening = 30'000ms;

/// After the grace of a shutdown, for cancelled runs to answer.
inline constexpr auto cancelled_run_grace = 2000ms;

/// Between looks for sessions that have had nothing to do for their idle timeout.
inline constexpr auto session_sweep = 5000ms;

/// For an MCP server to end after its stdin is closed, and after SIGTERM.
inline constexpr auto mcp_stdin_grace = 2000ms;
inline constexpr auto mcp_sigterm_grace = 2000ms;

/// An MCP server that is ready and has said nothing for so long is pinged; one that does not answer a ping
/// for so long is taken for dead.
inline constexpr auto mcp_ping_interval = 30'000ms;
inline constexpr auto mcp_ping_timeout = 30'000ms;

/// Between two looks at how much memory the process has taken, which cost some microseconds each.
inline constexpr auto memory_look = 200ms;
/// Short of memory, freed memory is given back to the kernel no more often than that: it takes milliseconds.
inline constexpr auto memory_trim = 5'000ms;
/// Of the limit, past which nothing more is begun: what is under way needs the rest.
inline constexpr std::size_t memory_short_tenths = 9;

/// Bytes of an MCP server's stderr that are kept for error messages.
inline constexpr std::size_t mcp_stderr_kept = 1024;

/// Bytes of stderr that wait for the server's actor; what a flood adds beyond that is dropped and counted.
inline constexpr std::size_t mcp_stderr_waiting = 64u << 10;

/// For who asks a model that is just being tried again after its failures.
inline constexpr auto retry_beside_probe = 1000ms;

/// Lines of an MCP server's stderr that are logged in a minute, of which all may come at once; a log is read
/// by people.
inline constexpr std::uint64_t mcp_stderr_lines_a_minute = 600;

/// Between two log entries about an MCP server that floods its stderr.
inline constexpr auto mcp_flood_report_interval = 10'000ms;

/// For a tool given in code to answer, where it does not say otherwise. As for MCP servers.
inline constexpr auto tool_timeout = 30'000ms;

/// For a guardrail that is asked (a model, code) to answer.
inline constexpr auto guardrail_timeout = 30'000ms;

/// For a hook to answer. Runs wait for it.
inline constexpr auto hook_timeout = 5000ms;

/// Bytes of a streamed answer, as they came from the endpoint, that may be on their way to whoever watches
/// the run; beyond that no more are taken from the HTTP client, which reads as much ahead.
inline constexpr std::size_t stream_window = 64u << 10;

/// For a connection to end, once the answer on it is complete by its own format; twice that at the most.
inline constexpr auto ended_stream_grace = 1000ms;

/// Of the items of runs that are over and still shown.
inline constexpr std::size_t kept_run_bytes = 64u << 20;

/// For a model that another one asks on somebody's behalf. The asker's own deadline is shorter; this is only
/// for an answer that never comes.
inline constexpr auto longest_model_call = 3'600'000ms;

/// For an actor to end once it was told to; it only has to come to the message.
inline constexpr auto actor_exit = 5000ms;

/// How deep what a store keeps of runs nests: runs nest as deep as agents call each other.
inline constexpr std::size_t journal_depth = 1024;

/// Runs that go on at the same time of those that a server did not live to end; the others follow.
inline constexpr std::size_t recovering_runs = 64;
/// A run that cannot be taken up for now (the disk is full, the store is slow) is tried again until it can,
/// after a pause that doubles so often, up to the longest.
inline constexpr unsigned recovery_doublings = 10;
inline constexpr auto recovery_pause = 500ms;
inline constexpr auto longest_recovery_pause = 30'000ms;
/// The end of a run that cannot be written for now is tried again after so long, for so long, while its
/// client waits: longer than other processes keep a database locked, or a disk is full in passing.
inline constexpr auto unwritten_end_pause = 1'000ms;
inline constexpr auto unwritten_end_patience = 30'000ms;
/// Ends of runs that could not be written since the disk was full: each a few hundred bytes.
inline constexpr std::size_t owed_endings = 4096;
/// They are tried again after so long.
inline constexpr auto owed_pause = 2'000ms;

/// Events of one run that are looked at when it is taken up again.
inline constexpr std::size_t longest_log = 1'000'000;

/// Events of a run that one reading takes from the store, if they are not more than `run_log_window`.
inline constexpr std::size_t events_read_at_once = 256;

/// Bytes of a run's events that no reader has taken yet, past which the run is held back while there is a
/// reader; and that are kept in memory.
inline constexpr std::size_t run_log_window = 64u << 10;
inline constexpr std::size_t run_log_bytes = 256u << 10;

/// Before a log asks the store again that could not tell which events there are.
inline constexpr auto log_look_up_pause = 2'000ms;

/// Between two looks into the store at a run that another server carries, while it is read.
inline constexpr auto log_follow_pause = 500ms;

/// Logs of runs that are over, or paused, which can still be read, where there is no journal.
inline constexpr std::size_t kept_logs = 128;

/// Between two looks for what the journal need not keep any more.
inline constexpr auto journal_purge = 60'000ms;

/// Sessions appended in one transaction at most.
inline constexpr std::size_t store_batch = 256;

} // namespace troupe::defaults
