#pragma once

#include "actors/caller.hpp"
#include "actors/error.hpp"
#include "actors/supervision.hpp"
#include "actors/travelling_run.hpp"
#include "libagent/core/item.hpp"
#include "libagent/core/tool.hpp"
#include "libagent/core/usage.hpp"
#include "libagent/model/model.hpp"
#include "libagent/model/stream.hpp"
#include "libagent/run/budget.hpp"
#include "libagent/run/events.hpp"
#include "libagent/run/interruption.hpp"
#include "libagent/run/ledger.hpp"
#include "libagent/session/store.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/timestamp.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
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

/// What a prompt does when a run of its session is under way.
enum class busy_policy : std::uint8_t {
  /// Waits for it.
  enqueue = 1,
  /// Is refused (`conflict`).
  reject,
  /// Cancels it; what it has added to the session stays.
  interrupt,
  /// Cancels it, and what it has added is taken back.
  rollback,
};
/// "enqueue", "reject", "interrupt" or "rollback", and back.
std::string_view to_string(busy_policy policy) noexcept;
std::optional<busy_policy> busy_policy_named(std::string_view name) noexcept;

/// A prompt for a session.
struct chat_request {
  std::string prompt;
  /// Empty: the agent that last answered on the session, or the default one on a new session.
  std::string agent;
  std::string session_id;
  /// The caller has just made the id, so that there is nothing to load.
  bool is_new = false;
  /// Names the run (`new_run_id`); empty: the session makes one.
  std::string run_id{};
  /// What templates and expressions know as `context`: an object, or null for an empty one.
  std::shared_ptr<const json> context{};
  /// Beside the configuration's budgets; the tighter bound of each kind holds.
  budget spending{};
  /// Whether the observer wants to see the model's answers grow.
  bool streamed = false;
  caller by{};
  /// Answered as soon as the run is accepted for good; it goes on by itself.
  bool background = false;
  /// Nothing given: the session's.
  std::optional<busy_policy> busy{};
  /// Not empty: the run's id is made of a key of the caller's, so that the same request, which comes to the
  /// same hash, is answered by the same run; another one is refused (`invalid_argument`).
  std::string key_hash{};
  /// The front end's to heed: the key itself; whether the run is cancelled when whoever asked goes away, or
  /// whether that is expressly not to be.
  std::string idempotency_key{};
  bool ends_with_client = false;
  bool detached = false;
  /// Its events are kept to be read later, by who asks for them by its id.
  bool is_logged = false;
  /// For the run, from its beginning; the configuration's is an upper bound.
  std::optional<std::chrono::milliseconds> within{};
};

/// Goes on with a paused run.
struct resume_request {
  std::string run_id;
  std::vector<decision> decisions;
  bool streamed = false;
  caller by{};
  bool is_logged = false;
  /// As in `chat_request`.
  bool ends_with_client = false;
  bool detached = false;
  /// Nothing is decided: whoever asks waits for a run that goes on already, and is answered as its prompt
  /// would be.
  bool only_joins = false;
};

/// How a run stands.
enum class run_status : std::uint8_t { running = 1, paused, completed, failed, cancelled };
/// "running", "paused", ...
std::string_view to_string(run_status status) noexcept;

/// The answer to a prompt: the run is completed, or paused.
struct chat_reply {
  /// The final output. Empty while paused.
  std::string result;
  std::string session_id;
  /// The agent that answered.
  std::string agent;
  /// What the run added to the session, the prompt included.
  item_list items;
  usage_report used;
  std::string run_id{};
  run_status status = run_status::completed;
  /// What a paused run waits for.
  std::vector<interruption> interruptions{};
  /// The final output of an agent with an output schema; null for others.
  std::shared_ptr<const json> structured{};
  /// Of what was used, where models have prices.
  std::optional<double> cost{};
};

/// A run as clients see it.
struct run_record {
  std::string run_id;
  std::string session_id;
  run_status status = run_status::running;
  /// The agent that holds it, or held it last.
  std::string agent;
  std::string result;
  std::shared_ptr<const json> structured;
  /// For failed and cancelled runs.
  std::optional<error> failure;
  item_list items;
  usage_report used;
  std::optional<double> cost;
  std::vector<interruption> interruptions;
  /// Whose it is; empty for nobody's.
  std::string owner{};
  /// `chat_request::key_hash`.
  std::string key_hash{};
  /// It was never carried out: the same request may be.
  bool is_refused = false;
};
using run_record_ptr = std::shared_ptr<const run_record>;

/// When a cancelled run ends.
enum class cancel_mode : std::uint8_t { at_once = 1, after_turn };

/// A prompt for an agent, without a session.
struct run_request {
  std::string prompt;
  /// The conversation so far; may be null.
  shared_items history;
  std::shared_ptr<const json> context{};
  budget spending{};
};

struct run_reply {
  std::string result;
  std::string agent;
  item_list items;
  usage_report used;
  std::shared_ptr<const json> structured{};
};

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

enum class mcp_state : std::uint8_t { starting = 1, ready, restarting, failed };
/// "starting", "ready", "restarting" or "failed".
std::string_view to_string(mcp_state state) noexcept;

struct mcp_status {
  std::string name;
  mcp_state state = mcp_state::starting;
  /// Of the running process, or 0.
  std::int64_t pid = 0;
  /// Empty until negotiated.
  std::string protocol_version;
  std::string server_name;
  std::string server_version;
  std::vector<std::string> tools;
  std::uint64_t restarts = 0;
  /// Why it last went away or did not come up; empty if never.
  std::string last_error;
  std::uint64_t stray_lines = 0;
  /// Of its restarts. Half-open once it is tried again, until it has been up for a while.
  breaker_status breaker{};
  /// Until the next start, where one is planned.
  std::optional<std::chrono::milliseconds> retry_in{};
  std::size_t mailbox = 0;
  std::size_t calls_in_flight = 0;
  std::size_t calls_waiting = 0;
  /// Calls refused since it was started, for too many were waiting.
  std::uint64_t calls_refused = 0;
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
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::chat_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::chat_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::resume_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_record_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cancel_mode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_record_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent_info)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::mcp_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_append)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stored_run_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_head_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::stored_events_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_events_ptr)
