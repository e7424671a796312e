#pragma once

#include "actors/interfaces.hpp"
#include "libagent/run/ledger.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace troupe {

/// Keeps the ledger of one run and all that it starts. Lives as long as somebody holds its handle.
budget_actor::behavior_type budget_behavior(budget_actor::pointer self, ledger book);

} // namespace troupe
