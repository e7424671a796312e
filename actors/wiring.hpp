#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime.hpp"

#include <caf/actor_system.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

namespace io {
class reactor;
}

/// All actors of a runtime.
struct cast {
  /// By the names that agents use.
  std::map<std::string, model_actor> models;
  /// All that were spawned here; what others pass calls on to comes before them.
  std::vector<model_actor> all_models;
  std::vector<hook_actor> hooks;
  std::vector<std::pair<std::string, mcp_server_actor>> mcp_servers;
  std::vector<std::string> agent_names;
  std::shared_ptr<const roster> agents;
  store_actor store;
  /// The store keeps a journal.
  bool is_journaled = false;
  sessions_actor sessions;
};

/// Spawns models, MCP servers, agents, the store and the sessions, and tells each agent what stands around
/// it. Fails before anything is spawned: `invalid_config`, `store_failed`.
result<cast> spawn_cast(caf::actor_system& system, io::reactor& io, const runtime_options& options);

} // namespace troupe
