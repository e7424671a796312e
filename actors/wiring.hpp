#pragma once

#include "actors/cast.hpp"
#include "actors/fallback_model.hpp"
#include "actors/http/front.hpp"
#include "actors/runtime.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <memory>

namespace troupe {

namespace io {
class reactor;
}

/// Makes, of the actors that the cast has, what each agent and the sessions are told of the others.
void make_wirings(const runtime_options& options, const std::shared_ptr<directory>& where, cast& made);

/// The same after some of the actors were replaced; what else an agent was told stays what it is.
void renew_wirings(const runtime_options& options, cast& made);

/// Whom a model with fallbacks asks in turn.
named_models chain_of(const config::model_options& model, const cast& made);

/// What a front end serves.
http_backend make_http_backend(const cast& made, std::chrono::milliseconds run_timeout,
                               std::shared_ptr<metrics> counted);

/// Tells all who pass calls on to others whom to pass them on to.
void tell_wirings(const runtime_options& options, const cast& made);

/// What came of starting.
struct spawned_cast {
  cast actors;
  /// Follows what the supervisor replaces.
  std::shared_ptr<directory> where;
  /// Runs that the sessions go on with, which others have left.
  std::vector<orphaned_run> taken_up{};
};

/// Spawns models, MCP servers, agents, the store, the sessions, and the supervisor of them all, and tells
/// each agent what stands around it. Fails before anything is spawned: `invalid_config`, `store_failed`.
result<spawned_cast> spawn_cast(caf::actor_system& system, io::reactor& io, const runtime_options& options);

} // namespace troupe
