#pragma once

#include "libagent/run/state.hpp"

namespace troupe::run {

/// A run about to begin with what the user said.
state begin(shared_items past, std::string prompt, limits bounds = {},
            std::shared_ptr<const json> context = nullptr);

/// Feeds one event. Events that do not fit the phase (late answers after a stop, answers given twice) change
/// nothing and have no effect.
effects step(state& run, event what);

/// What a paused run waits for, its nested runs' included. Ids are stable, and no other call of the run ever
/// has the same: TURN.CALL, and for nested runs the outer call's id, a slash, and the inner id.
std::vector<interruption> interruptions(const state& run);

/// Whether a paused run can take these decisions. Error `invalid_argument`: an id that is unknown or given
/// twice, arguments that do not fit the tool, nothing decided at all.
result<void> check_decisions(const state& run, const std::vector<decision>& decisions);

/// What a run and the paused ones that are nested in it have used.
usage_report spent_by(const state& run);

/// The scope of the run's conditions and templates: "context", "agent", "input".
json scope_of(const state& run);

} // namespace troupe::run
