#include "actors/stand_in.hpp"

#include "libagent/core/json.hpp"

#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <chrono>

namespace troupe {

namespace {

using std::chrono::milliseconds;

/// Never sent: an actor without any handler ends.
using nothing_atom = caf::atom_constant<caf::atom("nothing")>;

caf::behavior stand_in(caf::event_based_actor* self, const error& reason,
                       std::optional<caf::actor_clock::time_point> next_try) {
  self->set_default_handler(
      [reason, next_try](caf::scheduled_actor* me, caf::message_view&) -> caf::result<caf::message> {
        auto refusal = reason;
        if (next_try) {
          const auto wait = std::chrono::ceil<milliseconds>(*next_try - me->clock().now());
          refusal.facts =
              std::make_shared<const json>(json{{"retry_after_ms", std::max(wait, milliseconds(0)).count()}});
        }
        return to_caf(refusal);
      });
  return {[](nothing_atom) {}};
}

} // namespace

caf::actor spawn_stand_in(caf::actor_system& system, error reason,
                          std::optional<caf::actor_clock::time_point> next_try) {
  return system.spawn(stand_in, std::move(reason), next_try);
}

} // namespace troupe
