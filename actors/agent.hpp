#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>

namespace troupe {

using watched_agent_actor = agent_actor::extend_with<observed_actor>;

/// Holds an agent's wiring; makes a run actor for each run.
class agent_state {
public:
  explicit agent_state(watched_agent_actor::pointer self) : self_(self) {}
  ~agent_state();

  void wire(agent_wiring_ptr wiring) { wiring_ = std::move(wiring); }
  caf::typed_response_promise<run_reply> run_prompt(run_request&& request);
  caf::delegated<run_outcome> take_over(travelling_run&& run);
  caf::typed_response_promise<agent_info> describe();
  actor_status status() const;

  const char* name = "agent";

private:
  watched_agent_actor::pointer self_;
  agent_wiring_ptr wiring_;
  struct asked_run {
    run_actor runner;
    caf::typed_response_promise<run_reply> promise;
  };

  /// Runs that were asked for here, by a number of their own. They end with this actor.
  std::map<std::uint64_t, asked_run> prompts_;
  std::uint64_t last_prompt_ = 0;
};

/// An agent; it must be wired (`wire_atom`) before it is asked for anything.
watched_agent_actor::behavior_type agent_behavior(watched_agent_actor::stateful_pointer<agent_state> self);

} // namespace troupe
