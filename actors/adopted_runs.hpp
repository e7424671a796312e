#pragma once

#include "libagent/session/stored_run.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>
#include <vector>

namespace troupe {

/// Runs of one session that a process has left which is gone, and which this one has taken over, in the order
/// in which they go on.
using adopted_runs_ptr = std::shared_ptr<const std::vector<orphaned_run>>;

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::adopted_runs_ptr)
