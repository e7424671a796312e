#pragma once

#include "libagent/model/model.hpp"
#include "libagent/run/defaults.hpp"
#include "libagent/run/toolbox.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The run loop as a pure state machine. Events are what came back, effects are what to do next; whoever owns
/// the machine carries effects out and feeds events in. No clock, no thread, no I/O.
namespace troupe::run {

// Events.

/// The run is now at this agent: at its start, and after each handoff.
struct entered_agent {
  std::shared_ptr<const agent_definition> agent;
};
/// The answer to `collect_tools`.
struct tools_collected {
  toolbox_ptr tools;
};
/// The answer to `call_model`: one of the two.
struct model_answered {
  model_response response;
};
struct model_failed {
  error reason;
};
/// The answer to one call of `call_tools`.
struct tool_answered {
  /// `requested_call::index`.
  std::size_t index = 0;
  tool_result result;
};
/// End now: the owner cancelled, or the deadline passed.
struct stopped {
  error reason;
};
using event =
    std::variant<entered_agent, tools_collected, model_answered, model_failed, tool_answered, stopped>;

// Effects.

/// Find out what the agent can call in this turn.
struct collect_tools {};
struct call_model {
  model_request_ptr request;
};
struct requested_call {
  /// Place in the turn, for `tool_answered`.
  std::size_t index = 0;
  std::string call_id;
  /// As the model named it.
  std::string offered_name;
  /// Where to send it: `toolbox_entry::source` and `name`.
  std::size_t source = 0;
  std::string name;
  /// Valid by the tool's schema; an object.
  std::shared_ptr<const json> arguments;
};
/// Run these at the same time.
struct call_tools {
  std::vector<requested_call> calls;
};
/// Pass the run on to that agent, which feeds `entered_agent`.
struct hand_off {
  std::string agent;
};
/// The run is over: see `state::failure`, `state::output`.
struct finish {};
using effect = std::variant<collect_tools, call_model, call_tools, hand_off, finish>;
using effects = std::vector<effect>;

enum class phase { created, collecting, thinking, acting, handing_off, finished };

struct limits {
  unsigned max_turns = defaults::max_turns;
  std::size_t max_tool_output_bytes = defaults::max_tool_output_bytes;
};

/// One call of the turn under way, and its output once there is one.
struct open_call {
  std::string call_id;
  std::optional<tool_result> result;
};

/// A run: a value that can be moved from actor to actor between events.
struct state {
  /// The conversation before the run; may be null.
  shared_items past;
  /// What the run added, in order and well-formed at the end: each call has its output.
  item_list fresh;
  std::shared_ptr<const agent_definition> agent;
  limits bounds;
  phase at = phase::created;
  /// Model calls begun.
  unsigned turns = 0;
  usage used;
  toolbox_ptr tools;
  std::vector<open_call> open_calls;
  /// Agent to hand off to once the turn's tools are done; empty for none.
  std::string next_agent;
  /// Text of the final message, once finished without failure.
  std::string output;
  std::optional<error> failure;
};

/// A run about to begin with what the user said.
state begin(shared_items past, std::string prompt, limits bounds = {});

/// Feeds one event. Events that do not fit the phase (late answers after a stop, answers given twice) change
/// nothing and have no effect.
effects step(state& run, event what);

} // namespace troupe::run
