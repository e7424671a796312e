#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <vector>

namespace troupe {

/// Holds an agent's wiring; makes a run actor for each run.
class agent_state {
public:
  explicit agent_state(agent_actor::pointer self) : self_(self) {}

  void wire(agent_wiring_ptr wiring) { wiring_ = std::move(wiring); }
  caf::typed_response_promise<run_reply> run_prompt(run_request&& request);
  caf::delegated<run_outcome> take_over(travelling_run&& run);
  caf::typed_response_promise<agent_info> describe();

  const char* name = "agent";

private:
  agent_actor::pointer self_;
  agent_wiring_ptr wiring_;
};

/// An agent; it must be wired (`wire_atom`) before it is asked for anything.
agent_actor::behavior_type agent_behavior(agent_actor::stateful_pointer<agent_state> self);

} // namespace troupe
