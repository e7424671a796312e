#pragma once

#include "actors/cast.hpp"
#include "actors/hook_client.hpp"
#include "actors/recording_model.hpp"
#include "actors/runtime.hpp"
#include "libagent/model/cassette.hpp"
#include "libagent/session/process_lock.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

namespace io {
class http_client;
class reactor;
} // namespace io

struct left_runs;

/// One actor of a runtime that is watched.
struct part {
  std::string name;
  /// As in `system_node::kind`.
  std::string kind;
  /// Spawns it, the first time or again. Empty for an actor of the embedder's.
  std::function<result<caf::actor>(const cast& others)> make;
  /// Puts it where the others look for it.
  std::function<void(cast& into, const caf::actor& handle)> put;
  /// Whether it is an `observed_actor`.
  bool tells_status = true;
};

/// All that it takes to make a runtime's actors, the first time and again. Belongs to one thread at a time.
class workshop : public std::enable_shared_from_this<workshop> {
public:
  /// Does all that can fail. Errors `invalid_config`, `store_failed`.
  static result<std::shared_ptr<workshop>> open(caf::actor_system& system, io::reactor& io,
                                                const runtime_options& options);

  const runtime_options& options() const noexcept { return options_; }
  caf::actor_system& system() const noexcept { return system_; }
  /// Runs that others have left, until the sessions' actor is made, which goes on with them.
  const std::vector<orphaned_run>& orphans() const noexcept { return orphans_; }
  /// In the order in which they can be made. They share the workshop.
  std::vector<part> parts();

private:
  using client_box = std::shared_ptr<std::unique_ptr<io::http_client>>;

  workshop(caf::actor_system& system, io::reactor& io, const runtime_options& options)
      : system_(system), io_(io), options_(options) {}

  result<void> prepare();
  result<void> prepare_store();
  result<void> prepare_model(const config::model_options& model);

  void add_models(std::vector<part>& all);
  void add_servers(std::vector<part>& all);
  void add_store(std::vector<part>& all);
  void add_hooks(std::vector<part>& all);
  void add_agents(std::vector<part>& all);
  void add_sessions(std::vector<part>& all);

  result<caf::actor> make_model(const config::model_options& model);
  result<caf::actor> make_store();
  result<caf::actor> make_hook(std::size_t index);

  caf::actor_system& system_;
  io::reactor& io_;
  runtime_options options_;
  /// Made before the first actor, and taken by it; made anew for the next one.
  std::unique_ptr<session_store> store_;
  /// Kept while a store's actor is down: what this process has under way is not orphaned meanwhile.
  std::shared_ptr<process_seat> seat_ = std::make_shared<process_seat>();
  redactor_ptr hides_;
  std::map<std::string, client_box> clients_;
  std::map<std::size_t, hook_client_box> hook_clients_;
  /// Shared by all actors of that name, one after the other.
  std::shared_ptr<session_store> memory_;
  bool is_journaled_ = false;
  /// Runs to go on with, which the next sessions' actor takes, and what the one before it has left.
  std::vector<orphaned_run> orphans_;
  std::shared_ptr<left_runs> left_;
  std::map<std::string, cassette_file> recordings_;
  std::map<std::string, std::shared_ptr<cassette>> cassettes_;
};

} // namespace troupe
