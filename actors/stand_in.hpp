#pragma once

#include "actors/error.hpp"

#include <caf/actor.hpp>
#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>

#include <optional>

namespace troupe {

/// Stands where an actor was that is down: answers each request at once, whatever it is, by this error, with
/// the time until the next try where there will be one ("retry_after_ms"). Lives as long as somebody has its
/// handle.
caf::actor spawn_stand_in(caf::actor_system& system, error reason,
                          std::optional<caf::actor_clock::time_point> next_try);

} // namespace troupe
