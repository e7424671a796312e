#pragma once

#include "libagent/run/state.hpp"

namespace troupe::run {

/// The version of the form below, and of paused runs.
inline constexpr int state_version = 1;

/// A run as JSON, without the conversation before it, its tools and its limits: docs/paused-runs.md and
/// docs/journal.md describe the members. A paused run has only those of the first page.
json state_to_json(const state& run);

// The same in parts, for who writes down only what has changed.

/// All but "items", "calls", "seen" and the team's "history".
json head_to_json(const state& run);
json call_to_json(const open_call& call);
/// All but "arguments", "output" and "run".
json call_head_to_json(const open_call& call);
/// Of a call that has a result.
json output_to_json(const open_call& call);
/// `{"items","from"}`: what the agent sees in place of the conversation.
json seen_to_json(const state& run);

/// Back again. Of the agent only the name is known; `past`, `bounds` and `has_budget` are the reader's to
/// set, in nested runs too. A run that was not paused comes back interrupted. Error `malformed` says what is
/// wrong.
result<state> state_from_json(const json& value);

} // namespace troupe::run
