#pragma once

#include "actors/defaults.hpp"
#include "actors/interfaces.hpp"
#include "actors/mcp_calls.hpp"
#include "actors/restart_policy.hpp"
#include "actors/stderr_ring.hpp"
#include "libagent/config/config.hpp"
#include "libagent/core/redactor.hpp"
#include "libagent/mcp/client_session.hpp"
#include "libagent/mcp/heartbeat.hpp"
#include "libagent/model/rate_limit.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::io {
class child_process;
class reactor;
} // namespace troupe::io

namespace troupe {

/// A reactor as an argument of `spawn`, which takes a plain pointer for an actor.
struct reactor_reference {
  io::reactor* io = nullptr;
};

// What the reactor reports of a server's process.
struct process_started {
  std::int64_t pid = 0;
};
struct process_not_started {
  std::string reason;
};
struct process_lines {
  std::vector<std::string> lines;
};
/// There is something to take from the ring.
struct process_stderr {};
struct process_overlong_line {};
struct process_mute {};
struct process_ended {
  std::string how;
};
/// Of which start of the server it speaks: what an earlier process left in the mailbox is ignored.
struct process_event {
  std::uint64_t generation = 0;
  std::variant<process_started, process_not_started, process_lines, process_stderr, process_overlong_line,
               process_mute, process_ended>
      what;
};

/// Internal timers: start the process; the handshake took too long; a later tool list took too long; look for
/// calls that took too long; look whether the server is alive.
using start_atom = caf::atom_constant<caf::atom("start")>;
using handshake_atom = caf::atom_constant<caf::atom("handshake")>;
using listing_atom = caf::atom_constant<caf::atom("listing")>;
using overdue_atom = caf::atom_constant<caf::atom("overdue")>;
using pulse_atom = caf::atom_constant<caf::atom("pulse")>;
using supervised_mcp_server_actor =
    mcp_server_actor::extend<caf::reacts_to<process_event>, caf::reacts_to<start_atom, std::uint64_t>,
                             caf::reacts_to<handshake_atom, std::uint64_t>,
                             caf::reacts_to<listing_atom, std::uint64_t, std::uint64_t>,
                             caf::reacts_to<overdue_atom>, caf::reacts_to<pulse_atom, std::uint64_t>>;

/// Owns one MCP server from start to end: its process, the protocol's state machine, the calls in flight with
/// their deadlines, and the restarts.
class mcp_server_state {
public:
  explicit mcp_server_state(supervised_mcp_server_actor::pointer self) : self_(self) {}
  ~mcp_server_state();

  void begin(config::mcp_server_options options, redactor_ptr hides, io::reactor& io);
  caf::typed_response_promise<tool_result> call(const tool_invocation& what);
  void cancel(call_key key);
  caf::typed_response_promise<shared_tools> tools();
  mcp_status status() const;
  caf::typed_response_promise<acknowledgement> stop();

  /// Starts the process, unless that was overtaken by another start or a stop.
  void start(std::uint64_t generation);
  void handshake_overdue(std::uint64_t generation);
  void listing_overdue(std::uint64_t generation, std::uint64_t number);
  void take_pulse(std::uint64_t timer);
  void look_for_overdue_calls();
  void on(const process_event& what);

  const char* name = "mcp_server";

private:
  void on(const process_started& what);
  void on(const process_not_started& what);
  void on(const process_lines& what);
  void on(const process_stderr&);
  void stderr_line(std::string_view line);
  /// So much of stderr was dropped; what follows up to the end of the line may hold half a secret, and goes
  /// too.
  void skip_stderr(std::uint64_t dropped);
  /// Logs what of stderr was dropped or not logged, now and then.
  void report_flood();
  void on(const process_overlong_line&);
  void on(const process_mute&);
  void on(const process_ended& what);

  void carry_out(mcp::effects what);
  void carry_out(mcp::send_line& what);
  void carry_out(mcp::ready& what);
  void carry_out(mcp::broken& what);
  void carry_out(mcp::tools_changed& what);
  void carry_out(mcp::listing_begun& what);
  void carry_out(mcp::call_finished& what);
  void carry_out(mcp::call_progress& what);
  void carry_out(mcp::pong&);
  void carry_out(mcp::server_log& what);

  void begin_waiting_calls();
  /// Has one timer running for the earliest deadline, as long as there is one. Deadlines never become
  /// earlier.
  void watch_deadlines();
  /// Pings a server that may be dead, or ends the process of one that is, and looks again in time.
  void feel_pulse();
  /// The process is gone, or will be: fails what is open, and plans the next start.
  void went_down(std::string why, bool worth_a_retry);
  void plan_restart(bool worth_a_retry);
  void answer_waiting();
  void end_if_stopped();
  /// Why it takes no calls, since when, and when it is tried again.
  std::string why_not_running() const;
  /// A text that may come from the server or its environment, fit to be shown.
  std::string shown(std::string text) const;

  supervised_mcp_server_actor::pointer self_;
  config::mcp_server_options options_;
  redactor_ptr hides_ = nothing_to_hide();
  io::reactor* io_ = nullptr;
  mcp_state state_ = mcp_state::starting;
  std::uint64_t generation_ = 0;
  std::shared_ptr<io::child_process> process_;
  std::optional<mcp::client_session> session_;
  mcp::server_description server_;
  shared_tools tools_ = std::make_shared<const tool_list>();
  mcp_calls calls_;
  std::uint64_t refused_ = 0;
  bool watching_ = false;
  /// While the server is ready.
  std::optional<mcp::heartbeat> pulse_;
  /// The one timer for it that counts.
  std::uint64_t pulse_timer_ = 0;
  /// Whether the last message could not be handed to the process.
  bool write_failed_ = false;
  restart_policy restarts_;
  std::int64_t pid_ = 0;
  std::uint64_t starts_ = 0;
  std::string last_error_;
  std::shared_ptr<stderr_ring> stderr_;
  /// The beginning of a line of stderr, and the last whole ones.
  std::string stderr_rest_;
  std::string stderr_tail_;
  /// Whether the rest of a line is dropped whose beginning was.
  bool stderr_skips_ = false;
  std::uint64_t stderr_dropped_ = 0;
  token_bucket stderr_lines_{defaults::mcp_stderr_lines_a_minute};
  std::uint64_t stderr_unlogged_ = 0;
  std::optional<caf::actor_clock::time_point> flood_reported_;
  /// Why the process is being ended by us, for its exit to be reported as.
  std::string ending_because_;
  std::vector<caf::typed_response_promise<shared_tools>> waiting_for_tools_;
  std::vector<caf::typed_response_promise<acknowledgement>> stops_;
};

supervised_mcp_server_actor::behavior_type
mcp_server(supervised_mcp_server_actor::stateful_pointer<mcp_server_state> self,
           config::mcp_server_options options, redactor_ptr hides, reactor_reference io);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::process_event)
