#pragma once

#include "libagent/model/scripted.hpp"
#include "libagent/model/scripted_template.hpp"

#include <string_view>
#include <vector>

namespace troupe::scripted {

/// An output at the end of the conversation and the tool that gave it.
struct last_output {
  /// Empty if the history has no call for it.
  std::string_view tool;
  const tool_output* output = nullptr;
  /// It is the answer to a handoff that took place: `{"assistant":"<name>"}` from a tool that hands off to
  /// that agent.
  bool is_handoff = false;
};

/// What rules look at. Points into the request it was made from.
struct situation {
  std::string_view agent;
  const user_message* user = nullptr;
  /// The outputs after which nothing else came (several, if tools were called in parallel), in order.
  std::vector<last_output> outputs;
  /// A handoff is among them: whoever asks now begins afresh.
  bool handed_over = false;
};

/// `handoffs` are those with names of their own.
situation look_at(const model_request& request, const std::vector<named_handoff>& handoffs);

/// Whether the condition holds, and if so what its templates may name.
std::optional<bindings> match(const condition& when, const situation& now);

} // namespace troupe::scripted
