#pragma once

#include "actors/guardrails.hpp"
#include "actors/hooks.hpp"
#include "actors/interfaces.hpp"
#include "actors/metrics/metrics.hpp"
#include "actors/run_id.hpp"
#include "actors/tools.hpp"
#include "libagent/config/config.hpp"

#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// What to run: what an agent file says, and what only code can give.
struct runtime_options {
  config::configuration config;
  /// Function and actor tools: name of the agent, tool.
  std::vector<std::pair<std::string, code_tool>> tools;
  /// Models that are actors of the embedder's own, by the names that agents use.
  std::map<std::string, model_actor> models;
  /// The embedder's own I/O context, run by exactly one thread for as long as the runtime lives; null for a
  /// reactor with a thread of its own.
  boost::asio::io_context* io = nullptr;
  /// Guardrails in code, by the names that agents use, beside the configuration's.
  guardrail_map guardrails{};
  /// Hooks in code, told before the configuration's.
  std::vector<hook> hooks{};
  /// Opens a store in place of the configuration's. Its calls are made on the actor system's scheduler.
  std::function<result<std::unique_ptr<session_store>>()> open_store{};
  /// Where it counts; null for its own. Several runtimes may share one.
  std::shared_ptr<metrics> counted{};
  /// Carries on the runs in the store that others did not live to end; for servers.
  bool takes_up_runs = false;
  /// Only these of them.
  orphan_filter runs_to_take_up{};
};

/// Agents, models, MCP servers and sessions as actors in a CAF actor system. One that ends by a failure is
/// started again; handles are those of the moment, so ask again after an error `unavailable` or
/// `shutting_down`. Copies share the same runtime;
/// all methods are thread-safe and none blocks, but for `shutdown`. The actor system must outlive it, and
/// must have been configured by `extend` or `system_config`.
class runtime {
public:
  /// Starts everything and returns at once; MCP servers come up meanwhile. Error `invalid_config` lists what
  /// is wrong, `store_failed` tells why sessions cannot be stored.
  static result<runtime> start(caf::actor_system& system, runtime_options options);

  /// An agent to `request`: with a `run_request` it answers a `run_reply`. Error `unknown_agent`.
  result<agent_actor> agent(std::string_view name) const;
  /// Names in order; the first is the default agent.
  const std::vector<std::string>& agent_names() const noexcept;
  /// Conversations with memory: a `chat_request` is answered by a `chat_reply`.
  sessions_actor sessions() const;
  /// MCP servers in order of their configuration.
  std::vector<std::pair<std::string, mcp_server_actor>> mcp_servers() const;
  /// Tells how all of it is (`status_atom`).
  supervisor_actor supervisor() const;
  /// The runs that it has taken up, in the order in which their sessions have accepted them.
  const std::vector<orphaned_run>& taken_up() const noexcept;
  /// What it counts, to read or to add to.
  const std::shared_ptr<metrics>& counted() const noexcept;

  /// Starts a REST front end over the same agents and returns at once, from any thread and from inside any
  /// actor's handler. Ask the handle for its port. There may be several. One that has listened and fails is
  /// made again at its port, under another handle; `shutdown` ends whichever there is.
  http_front_actor serve_http(config::server_options options) const;

  /// Stops front ends, finishes runs for up to `grace`, closes MCP servers in order, stops all actors. Blocks
  /// until done, at most a few seconds longer than `grace`; never call it from an actor. Later calls do
  /// nothing. The last copy's destructor does it with no grace, so keep one beyond all actors that hold
  /// others.
  void shutdown(std::chrono::milliseconds grace);

private:
  struct impl;
  explicit runtime(std::shared_ptr<impl> state);
  std::shared_ptr<impl> impl_;
};

} // namespace troupe
