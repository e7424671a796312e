#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"
#include "actors/session.hpp"
#include "libagent/core/redactor.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// All actors of a runtime.
struct cast {
  /// By the names that agents use: each the outermost of the following three.
  std::map<std::string, model_actor> models;
  /// As the provider, or the embedder, has them.
  std::map<std::string, model_actor> plain_models;
  std::map<std::string, model_actor> recordings;
  std::map<std::string, model_actor> chains;
  std::vector<hook_actor> hooks;
  std::vector<std::pair<std::string, mcp_server_actor>> mcp_servers;
  std::vector<std::string> agent_names;
  std::shared_ptr<const roster> agents;
  store_actor store;
  /// Keeps the agent file's secrets out of what is written and told.
  redactor_ptr hides = nothing_to_hide();
  /// The store keeps a journal.
  bool is_journaled = false;
  sessions_actor sessions;
  /// By the names that they have in the tree.
  std::map<std::string, http_front_actor> fronts;
  supervisor_actor supervisor;
  /// What each agent, and the sessions, were told stands around them.
  std::map<std::string, agent_wiring_ptr, std::less<>> wirings;
  session_environment_ptr environment;
};
using cast_ptr = std::shared_ptr<const cast>;

/// The actors as they are now, for whoever holds handles longer than an actor may live. Thread-safe.
class directory {
public:
  cast_ptr current() const {
    const std::lock_guard guard(lock_);
    return cast_;
  }
  /// Only the supervisor's to call.
  void renew(cast_ptr now) {
    const std::lock_guard guard(lock_);
    cast_ = std::move(now);
    version_.fetch_add(1, std::memory_order_release);
  }
  /// Grows with each renewal, so that who has the newest cast need not ask for it.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

private:
  mutable std::mutex lock_;
  cast_ptr cast_ = std::make_shared<const cast>();
  std::atomic<std::uint64_t> version_ = 0;
};

} // namespace troupe
