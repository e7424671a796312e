#pragma once

#include "actors/interfaces.hpp"
#include "libagent/config/config.hpp"

#include <caf/fwd.hpp>

#include <string>
#include <utility>
#include <vector>

namespace troupe::io {
class reactor;
}

namespace troupe {

/// What the front end serves.
struct http_backend {
  sessions_actor sessions;
  /// Names in the agent file's order.
  std::vector<std::string> agents;
  std::vector<std::pair<std::string, mcp_server_actor>> mcp_servers;
  /// How long a run may take; the front end waits a little longer before it answers 504 itself.
  std::chrono::milliseconds run_timeout{300'000};
};

/// Starts a REST front end and returns at once, from any thread and from inside any actor's handler. Ask it
/// for its port to learn when it is ready. It lives until it is stopped, or until nobody holds its handle.
/// The reactor must outlive it.
http_front_actor spawn_http_front(caf::actor_system& system, io::reactor& io, config::server_options options,
                                  http_backend backend);

} // namespace troupe
