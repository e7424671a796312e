#pragma once

#include "tests/libagent/run/game.hpp"

namespace troupe::run::testing {

using strings = std::vector<std::string>;

/// What a paused run waits for: "ID AGENT.TOOL".
strings waiting(const state& run);

/// One rule of pausing: moves up to the pause, what the run then waits for, and how it goes on.
struct paused_row {
  const char* situation;
  moves before;
  strings waits;
  moves after;
  std::string effects;
  std::string story;
  std::string ending;
  bool has_budget = false;
};
/// Plays each row twice: as it is, and with the paused run kept as JSON meanwhile. The effects told are those
/// after the pause.
void check_paused(const std::vector<paused_row>& rows);

/// Has the agent's tools "a" and "add" need a yes.
void careful(agent_definition& agent);
/// A run of the agent "helper" that waits with two calls of "a".
std::shared_ptr<const state> paused_helper();
move pauses(std::size_t index, std::shared_ptr<const state> nested);

} // namespace troupe::run::testing
