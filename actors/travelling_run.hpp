#pragma once

#include "libagent/run/machine.hpp"

#include <caf/actor_clock.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

struct run_watchers;

/// A run on its way between agents, with all that goes along.
struct travelling_run {
  run::state state;
  /// By the actor system's clock.
  caf::actor_clock::time_point deadline;
  /// Whom to tell of its events and moves; may be null.
  std::shared_ptr<const run_watchers> watchers;
  std::uint64_t run_id = 0;
  std::string session_id;
};

/// How a run ended. A failed run has its items too.
struct run_outcome {
  std::optional<error> failure;
  std::string output;
  /// The agent that held the run at its end.
  std::string agent;
  item_list items;
  usage used;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::travelling_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_outcome)
