#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

/// What went wrong, for code to branch on. Details in an `error` are for people.
/// Never 0, since CAF takes an error code of 0 for "no error".
enum class errc : std::uint8_t {
  /// The text is not what it claims to be: not JSON, not UTF-8, nested too deep.
  malformed = 1,
  /// Well-formed, but a field is missing, empty, unknown or of the wrong type.
  invalid_argument,
  /// The agent file cannot be used as it is.
  invalid_config,
  unknown_agent,
  unknown_session,
  /// A bounded queue is full; the same request may succeed later.
  overloaded,
  /// The process has little memory left; the same request may succeed later.
  memory_short,
  /// A text is longer than it may be.
  too_large,
  /// The system is on its way down and takes no more work.
  shutting_down,
  /// A part of the system that is needed is down and will be back; the same request may succeed later.
  unavailable,
  /// The request was cancelled by its owner.
  cancelled,
  /// The run's deadline passed.
  deadline_exceeded,
  /// The run took more turns than it is allowed.
  max_turns_exceeded,
  /// The run, or the session it belongs to, has spent what it may spend.
  budget_exceeded,
  /// A guardrail stopped the run.
  guardrail_tripped,
  /// The final output does not fit the agent's output schema, even after a repair turn.
  invalid_output,
  /// A tool failed whose failure ends the run.
  tool_failed,
  /// A hook that must not fail did.
  hook_failed,
  unknown_run,
  /// What is asked for does not fit the state things are in: a run that is not paused, a session that waits
  /// for
  /// an approval.
  conflict,
  /// The model's endpoint could not be reached, refused, or answered nonsense.
  model_failed,
  /// The model's endpoint did not answer in time.
  model_timeout,
  /// The model's stream ended before the answer did.
  model_stream_cut,
  /// The model was not asked: its endpoint has failed too often of late, or its actor is down. The same
  /// request may succeed later.
  model_unavailable,
  /// A recorded model was asked what it has no answer to.
  not_recorded,
  /// A peer broke the protocol it speaks.
  protocol_violation,
  /// An MCP server is not running.
  server_down,
  /// A call to a tool or an MCP server did not finish in time.
  call_timeout,
  /// A tool or MCP server answered with an error.
  call_failed,
  /// An operating system call failed: sockets, pipes, files, processes.
  io_failed,
  /// The session store could not read or write.
  store_failed,
  /// There is no room left to store anything.
  store_full,
  /// The server ended while the call of a tool was under way, and nobody knows what came of it.
  in_doubt,
  /// A bug, or an exception of a third party.
  internal,
};

/// The code's name as it appears in logs and API answers, e.g. "model_failed".
std::string_view to_string(errc code) noexcept;
/// The code of that name; nothing if there is none.
std::optional<errc> errc_named(std::string_view name) noexcept;

} // namespace troupe
