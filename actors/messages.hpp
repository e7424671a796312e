#pragma once

#include "actors/travelling_run.hpp"
#include "libagent/core/tool.hpp"
#include "libagent/core/usage.hpp"
#include "libagent/model/model.hpp"
#include "libagent/model/stream.hpp"
#include "libagent/run/events.hpp"
#include "libagent/run/ledger.hpp"
#include "libagent/session/store.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What actors say to each other. Values all of them; large ones are shared and never changed.
namespace troupe {

using adopt_atom = caf::atom_constant<caf::atom("adopt")>;
using cancel_atom = caf::atom_constant<caf::atom("cancel")>;
using consumed_atom = caf::atom_constant<caf::atom("consumed")>;
using erase_atom = caf::atom_constant<caf::atom("erase")>;
using head_atom = caf::atom_constant<caf::atom("head")>;
using finished_atom = caf::atom_constant<caf::atom("finished")>;
using events_atom = caf::atom_constant<caf::atom("events")>;
using info_atom = caf::atom_constant<caf::atom("info")>;
using journal_atom = caf::atom_constant<caf::atom("journal")>;
using moved_atom = caf::atom_constant<caf::atom("moved")>;
using recover_atom = caf::atom_constant<caf::atom("recover")>;
using port_atom = caf::atom_constant<caf::atom("port")>;
using reserve_atom = caf::atom_constant<caf::atom("reserve")>;
using run_atom = caf::atom_constant<caf::atom("run")>;
using settle_atom = caf::atom_constant<caf::atom("settle")>;
using spent_atom = caf::atom_constant<caf::atom("spent")>;
using status_atom = caf::atom_constant<caf::atom("status")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;
using tools_atom = caf::atom_constant<caf::atom("tools")>;
using wire_atom = caf::atom_constant<caf::atom("wire")>;

/// The answer to what has no other: it is done. (CAF answers `unit_t` by an empty message, which no handler
/// takes.)
struct acknowledgement {};

/// Names one call of a run's to a model or tool, unique in the actor system.
using call_key = std::uint64_t;

/// A call of a model.
struct model_call {
  call_key key = 0;
  model_request_ptr request;
  /// A `model_listener_actor` that wants to see the answer grow; null for none.
  caf::strong_actor_ptr listener{};
};

/// A model's answer has grown.
struct model_progress {
  call_key key = 0;
  std::shared_ptr<const model_deltas> deltas;
  /// To be given back by `consumed_atom`; 0 if nothing waits for that.
  std::uint64_t bytes = 0;
};

/// A call of a tool, with arguments that fit its schema.
struct tool_invocation {
  call_key key = 0;
  /// The name by which the tool's owner knows it.
  std::string tool;
  /// An object. Null means an empty one.
  std::shared_ptr<const json> arguments;
  /// Who calls.
  std::string agent;
  std::string session_id;
};

/// A text for a guardrail.
struct guardrail_question {
  run::guard_stage stage = run::guard_stage::input;
  std::string agent;
  /// What the user said, the final output, a tool's arguments as JSON, or a tool's output.
  std::string text;
  /// For tools: as the model named it.
  std::string tool;
  std::string session_id;
};

/// A point in a run where hooks are told.
enum class hook_point : std::uint8_t {
  before_run = 1,
  after_run,
  before_model,
  after_model,
  before_tool,
  after_tool,
  before_handoff,
  after_handoff,
};
/// "before_run", ...
std::string_view to_string(hook_point point) noexcept;

/// What a hook is told.
struct hook_call {
  hook_point point = hook_point::before_run;
  std::string run_id;
  std::string session_id;
  std::string agent;
  /// before_run: "input"; after_run: "output" or "error", "usage"; before_model: "model", "items";
  /// after_model: "model", "output", "usage"; before_tool: "tool", "call_id", "arguments"; after_tool: those,
  /// "output", "is_error"; before_handoff, after_handoff: "from", "to".
  std::shared_ptr<const json> facts;
};

struct agent_wiring;
using agent_wiring_ptr = std::shared_ptr<const agent_wiring>;

/// A session as clients see it.
using session_record_ptr = std::shared_ptr<const session_record>;

using stored_run_ptr = std::shared_ptr<const stored_run>;
using run_head_ptr = std::shared_ptr<const run_head>;
using stored_events_ptr = std::shared_ptr<const std::vector<stored_event>>;

/// What an agent can do right now.
struct agent_info {
  std::string name;
  std::string model;
  /// Names as the model is offered them.
  std::vector<std::string> tools;
  std::vector<std::string> handoffs;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::acknowledgement)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_response)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tool_invocation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tool_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::call_estimate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::reservation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::usage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::guardrail_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::hook_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::guardrail::verdict)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::shared_tools)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent_wiring_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_record_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent_info)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_append)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stored_run_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_head_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stored_events_ptr)
