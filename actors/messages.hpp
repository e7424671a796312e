#pragma once

#include "actors/travelling_run.hpp"
#include "libagent/core/item.hpp"
#include "libagent/core/tool.hpp"
#include "libagent/core/usage.hpp"
#include "libagent/model/model.hpp"
#include "libagent/session/store.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/timestamp.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// What actors say to each other. Values all of them; large ones are shared and never changed.
namespace troupe {

using cancel_atom = caf::atom_constant<caf::atom("cancel")>;
using erase_atom = caf::atom_constant<caf::atom("erase")>;
using finished_atom = caf::atom_constant<caf::atom("finished")>;
using info_atom = caf::atom_constant<caf::atom("info")>;
using moved_atom = caf::atom_constant<caf::atom("moved")>;
using port_atom = caf::atom_constant<caf::atom("port")>;
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

// What happens in a run, for whoever watches it.

struct agent_started {
  std::string agent;
};
struct handed_off {
  std::string from;
  std::string to;
};
struct tool_started {
  std::string agent;
  std::string call_id;
  std::string tool;
  std::string arguments;
};
struct tool_finished {
  std::string agent;
  std::string call_id;
  std::string tool;
  std::string output;
  bool is_error = false;
};
/// What an agent said beside its tool calls. (Its final output comes with the answer.)
struct said {
  std::string agent;
  std::string text;
};
/// In the order in which it happens.
using run_event = std::variant<agent_started, handed_off, said, tool_started, tool_finished>;

/// A prompt for a session.
struct chat_request {
  std::string prompt;
  /// Empty: the agent that last answered on the session, or the default one on a new session.
  std::string agent;
  std::string session_id;
  /// The caller has just made the id, so that there is nothing to load.
  bool is_new = false;
  /// Names the run for `cancel_atom`; 0 for runs that nobody will cancel.
  std::uint64_t run_id = 0;
};

/// The answer to a prompt.
struct chat_reply {
  /// The final output.
  std::string result;
  std::string session_id;
  /// The agent that answered.
  std::string agent;
  /// What the run added to the session, the prompt included.
  item_list items;
  usage used;
};

/// A prompt for an agent, without a session.
struct run_request {
  std::string prompt;
  /// The conversation so far; may be null.
  shared_items history;
};

struct run_reply {
  std::string result;
  std::string agent;
  item_list items;
  usage used;
};

struct agent_wiring;
using agent_wiring_ptr = std::shared_ptr<const agent_wiring>;

/// A session as clients see it.
using session_record_ptr = std::shared_ptr<const session_record>;

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
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::acknowledgement)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::model_response)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tool_invocation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::tool_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::shared_tools)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent_wiring_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::chat_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::chat_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_record_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::agent_info)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::mcp_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::error)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_append)
