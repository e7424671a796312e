#pragma once

#include <caf/actor_system_config.hpp>

namespace troupe {

/// Adds to any CAF configuration what Troupe needs of its actor system: how its errors are rendered. Call it
/// in the constructor of a configuration of your own.
void extend(caf::actor_system_config& config);

/// A configuration with nothing but that.
struct system_config : caf::actor_system_config {
  system_config() { extend(*this); }
};

} // namespace troupe
