#pragma once

#include "libagent/run/journal.hpp"
#include "libagent/run/machine.hpp"

#include <caf/actor_clock.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

struct run_company;

/// A run on its way between agents, with all that goes along.
struct travelling_run {
  run::state state;
  /// By the actor system's clock.
  caf::actor_clock::time_point deadline;
  /// The deadline comes from the budget, which allows so much.
  std::optional<std::chrono::milliseconds> wall_time;
  /// Whom it deals with wherever it is; may be null.
  std::shared_ptr<const run_company> company;
  std::string run_id;
  std::string session_id;
  /// The agent that handed it on; empty if none did.
  std::string handed_by;
  /// For a paused run that goes on.
  std::vector<decision> decisions;
  /// What the journal knows of it.
  run::recorder recorder;
};

/// How a run ended, or that it has paused. A failed run has its items too.
struct run_outcome {
  std::optional<error> failure;
  std::string output;
  /// The agent that held the run at its end.
  std::string agent;
  item_list items;
  usage_report used;
  std::shared_ptr<const json> structured;
  /// What was approved for good meanwhile.
  std::set<std::pair<std::string, std::string>> approved;
  /// The run itself if it has paused; else null.
  std::shared_ptr<const run::state> paused;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::travelling_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::run_outcome)
