#pragma once

#include "libagent/run/state_json.hpp"

namespace troupe::run {

/// The version of the form that `paused_to_json` writes.
inline constexpr int paused_version = state_version;

/// A paused run as JSON, to be kept until somebody decides; docs/paused-runs.md describes the form. The
/// conversation before the run is not part of it.
json paused_to_json(const state& run);

/// Back again, from this version's form or an older one's. Of the agent only the name is known until
/// `entered_agent`. `past`, `bounds` and `has_budget` are the reader's to set, in nested runs too. Error
/// `malformed` says what is wrong.
result<state> paused_from_json(const json& value);

} // namespace troupe::run
