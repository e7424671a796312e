#pragma once

#include "libagent/run/machine.hpp"

#include <string>
#include <vector>

namespace troupe::run {

/// What is to be done about the calls of one model answer.
struct tool_turn {
  /// One for each call, in the model's order; those that need no tool have their result already.
  std::vector<open_call> open_calls;
  std::vector<requested_call> to_run;
  /// The agent of the first handoff among them, or empty.
  std::string next_agent;
};

/// Sorts calls: handoffs (the first wins, the others are told so), calls that cannot be made (unknown tool,
/// arguments that are not a JSON object or break the schema) get a result that the model can correct from,
/// the rest is to run.
tool_turn open_turn(const toolbox& tools, const std::vector<tool_call>& calls);

/// The result with at most `max_bytes` of content: texts are cut with a note, other parts become a note.
tool_result bounded(tool_result result, std::size_t max_bytes);

} // namespace troupe::run
