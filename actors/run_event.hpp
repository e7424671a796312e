#pragma once

#include "libagent/core/usage.hpp"
#include "libagent/session/stored_run.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What happens in runs, as those see it who watch them.
namespace troupe {

// What happens in a run, for whoever watches it. `nested_run` is empty in the run that is watched; in others
// it is the id of the run, which begins with that of the one that started it.

struct run_started {
  std::string run_id;
  std::string session_id;
};
struct agent_started {
  std::string agent;
  std::string nested_run{};
};
struct handed_off {
  std::string from;
  std::string to;
  std::string nested_run{};
};
/// The model's answer grows. Only for watchers of streamed runs; what a model that does not stream says comes
/// in one piece.
struct text_streamed {
  std::string agent;
  std::string text;
  std::string nested_run{};
};
struct reasoning_streamed {
  std::string agent;
  std::string text;
  std::string nested_run{};
};
/// The model begins to write a call; its arguments follow.
struct call_streamed {
  std::string agent;
  std::string call_id;
  std::string tool;
  std::string nested_run{};
};
struct arguments_streamed {
  std::string agent;
  std::string call_id;
  std::string text;
  std::string nested_run{};
};
/// A tool begins its work, with these arguments.
struct tool_started {
  std::string agent;
  std::string call_id;
  std::string tool;
  std::string arguments;
  std::string nested_run{};
};
struct tool_finished {
  std::string agent;
  std::string call_id;
  std::string tool;
  std::string output;
  bool is_error = false;
  std::string nested_run{};
};
/// What an agent said beside its tool calls. (Its final output comes with the answer.)
struct said {
  std::string agent;
  std::string text;
  std::string nested_run{};
};
/// A guardrail did something else than pass.
struct guardrail_acted {
  std::string agent;
  std::string guardrail;
  /// "input", "output", "tool_input" or "tool_output".
  std::string stage;
  /// "rewrite", "reject" or "trip".
  std::string action;
  /// Why, for people; never what was rewritten.
  std::string message;
  std::string nested_run{};
};
/// A model call was paid for.
struct usage_added {
  std::string agent;
  std::string model;
  usage used;
  std::string nested_run{};
};
/// The run goes on after the server had ended. Events between these numbers, both included, were about what
/// is done again, and do not count.
struct run_taken_up {
  std::string run_id;
  std::string session_id;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> discarded;
};
/// In the order in which it happens.
using run_event = std::variant<run_started, agent_started, handed_off, text_streamed, reasoning_streamed,
                               call_streamed, arguments_streamed, said, tool_started, tool_finished,
                               guardrail_acted, usage_added, run_taken_up>;

/// Events of a run, as a journal keeps them (`told_event`).
struct run_events {
  std::vector<stored_event> events;
  /// The last that there is.
  std::uint64_t last = 0;
  /// There will be no more: the run is over or has paused.
  bool is_over = false;
};
/// In place of an event's number: where the run last went on.
inline constexpr std::uint64_t from_here = std::numeric_limits<std::uint64_t>::max();
using run_events_ptr = std::shared_ptr<const run_events>;

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_events_ptr)
