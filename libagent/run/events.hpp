#pragma once

#include "libagent/core/usage.hpp"
#include "libagent/guardrail/verdict.hpp"
#include "libagent/model/model.hpp"
#include "libagent/run/interruption.hpp"
#include "libagent/run/toolbox.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The run loop as a pure state machine. Events are what came back, effects are what to do next; whoever owns
/// the machine carries effects out and feeds events in. No clock, no thread, no I/O.
namespace troupe::run {

struct state;

/// What a guardrail looks at.
enum class guard_stage : std::uint8_t { input, output, tool_input, tool_output };
/// "input", "output", "tool_input" or "tool_output".
std::string_view to_string(guard_stage stage) noexcept;

/// Names one check of a guardrail, so that a late verdict is known for what it is.
struct check_ticket {
  guard_stage stage = guard_stage::input;
  /// For input and output: place among the agent's guardrails. For tools: place of the call in the turn.
  std::size_t index = 0;
  /// For tools: which of the call's guardrails. For input: how often guardrails had rewritten it. For output:
  /// which item.
  std::size_t step = 0;
  /// `turn_number`.
  std::size_t turn = 0;
  friend bool operator==(const check_ticket&, const check_ticket&) = default;
};

// Events.

/// The run is now at this agent: at its start, after each handoff, and when a paused run goes on.
struct entered_agent {
  std::shared_ptr<const agent_definition> agent;
};
/// The answer to `collect_tools`: all tools, or why there are none.
struct tools_collected {
  toolbox_ptr tools;
};
/// The answer to `reserve`: one of the two.
struct reserved {
  /// For a model call: tokens that it may answer with at most.
  std::optional<std::uint64_t> max_output_tokens;
  /// Why the run ends if the answer is cut there.
  std::optional<error> if_cut{};
};
struct refused {
  error reason;
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
  /// For agents: what they spent.
  usage_report used{};
  /// For agents: a failure that ends this run too (its budget, its cancellation, a member of a team).
  std::optional<error> fatal{};
};
/// The other answer to a call of an agent: its run has paused.
struct call_paused {
  std::size_t index = 0;
  std::shared_ptr<const state> nested;
};
/// The answer to `report_call`: everybody knows.
struct call_reported {
  std::size_t index = 0;
};
/// The answer to `check`.
struct checked {
  check_ticket ticket;
  /// Or why there is none, which ends the run.
  result<guardrail::verdict> outcome;
};
/// A paused run goes on with these decisions, which `check_decisions` has passed. Comes after
/// `entered_agent`.
struct resumed {
  std::vector<decision> decisions;
};
/// The run was read back from a journal, and goes on at this agent from where it was. Comes before anything
/// else.
struct recovered {
  std::shared_ptr<const agent_definition> agent;
};
/// End before the next turn: the owner cancelled.
struct stop_after_turn {
  error reason;
};
/// End now: the owner cancelled, or the deadline passed.
struct stopped {
  error reason;
};
using event = std::variant<entered_agent, tools_collected, reserved, refused, model_answered, model_failed,
                           tool_answered, call_paused, call_reported, checked, resumed, recovered,
                           stop_after_turn, stopped>;

// Effects.

/// Find out what the agent can call in this turn.
struct collect_tools {};
/// Ask the run's budget, for runs that have one.
struct reserve {
  /// For a model call, or null.
  model_request_ptr request;
  std::uint64_t tool_calls = 0;
};
struct call_model {
  model_request_ptr request;
};
struct requested_call {
  /// Place in the turn, for `tool_answered`.
  std::size_t index = 0;
  /// Names the call among all of the run: TURN.INDEX.
  std::string place;
  std::string call_id;
  /// As the model named it.
  std::string offered_name;
  toolbox_entry::kind what = toolbox_entry::kind::tool;
  /// Where to send it: `toolbox_entry::source` and `name`.
  std::size_t source = 0;
  std::string name;
  /// Valid by the tool's schema; an object.
  std::shared_ptr<const json> arguments;
  /// Beside the tool's own.
  std::optional<std::chrono::milliseconds> timeout;
  /// For a member of a team: the conversation before what it is asked, as the team sees it; else null.
  shared_items history;
  bool is_member = false;
  /// For an agent whose run had paused: that run, and what was decided.
  std::shared_ptr<const state> nested;
  std::vector<decision> decisions;
};
/// Run these at the same time.
struct call_tools {
  std::vector<requested_call> calls;
};
/// A call of a model has its result. (A handoff that will be carried out has none to tell.)
struct report_call {
  std::size_t index = 0;
  std::string call_id;
  std::string offered_name;
  /// Null where they could not be read.
  std::shared_ptr<const json> arguments;
  std::string output;
  bool is_error = false;
  /// False for a call that was refused or rejected before it reached its tool.
  bool was_started = false;
};
/// The model is asked once more because its output does not fit. Needs no answer.
struct repair {
  std::string why;
};
/// Ask a guardrail.
struct check {
  check_ticket ticket;
  std::string guardrail;
  /// What the user said, the final output, a tool's arguments as JSON, or a tool's output.
  std::string text;
  /// For tools: as the model named it.
  std::string tool;
};
/// Pass the run on to that agent, which feeds `entered_agent`.
struct hand_off {
  std::string agent;
  /// What the model said about it, for `on_handoff`.
  std::shared_ptr<const json> arguments;
  /// Null for the usual rules.
  std::shared_ptr<const handoff_definition> rules;
};
/// The run waits for somebody: see `interruptions`. It can be kept as JSON (`paused_to_json`).
struct pause {};
/// The run is over: see `state::failure`, `state::output`.
struct finish {};
using effect = std::variant<collect_tools, reserve, call_model, call_tools, report_call, repair, check,
                            hand_off, pause, finish>;
using effects = std::vector<effect>;

} // namespace troupe::run
