#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <optional>
#include <vector>

namespace troupe {

/// Owns one run while it is at one agent: feeds the run machine and carries its effects out. When the actor
/// ends, for whatever reason, calls still open are cancelled where they go on, and its asker is answered.
class run_state {
public:
  explicit run_state(run_actor::pointer self) : self_(self) {}
  ~run_state();

  /// Takes the run over. Once.
  caf::typed_response_promise<run_outcome> take(agent_wiring_ptr wiring, travelling_run&& run);
  void cancel(error reason);

  const char* name = "run";

private:
  /// A call that must be told when nobody waits for it any more.
  struct cancellable_call {
    model_actor model;
    mcp_server_actor server;
  };

  void feed(run::event what);
  void carry_out(const run::collect_tools&);
  void carry_out(run::call_model& what);
  void carry_out(run::call_tools& what);
  void carry_out(const run::hand_off& what);
  void carry_out(const run::finish&);

  void collect_from_servers();
  void tools_came(std::size_t server, shared_tools tools);
  void run_tool(const run::requested_call& call);
  /// Asks for a tool's result; `what` names the asked for readable failures.
  template <class Handle>
  void request_tool(const Handle& tool, std::chrono::milliseconds within, call_key key,
                    const run::requested_call& call, tool_invocation invocation);
  void tool_done(const run::requested_call& call, call_key key, tool_result result);
  void request_failed(const caf::error& reason, call_key key, const std::function<void(error)>& handle);

  /// Time until the deadline; at least one millisecond, so that a passed deadline ends the run by a timeout.
  std::chrono::milliseconds remaining() const;
  /// Whether a request failed because the run's time is over.
  bool is_deadline(const caf::error& reason) const;
  call_key next_key();
  void tell(run_event what) const;
  /// Tells what the model said beside its calls.
  void tell_asides(const model_response& response) const;
  void deliver();
  /// Ends this actor in order.
  void leave();

  run_actor::pointer self_;
  agent_wiring_ptr wiring_;
  travelling_run run_;
  caf::typed_response_promise<run_outcome> promise_;
  std::map<call_key, cancellable_call> open_;
  std::uint32_t keys_ = 0;
  /// Tools by source while they come in: code tools, then servers.
  std::vector<tool_source> sources_;
  std::size_t sources_missing_ = 0;
};

run_actor::behavior_type run_behavior(run_actor::stateful_pointer<run_state> self, agent_wiring_ptr wiring);

} // namespace troupe
