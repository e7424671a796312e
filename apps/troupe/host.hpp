#pragma once

#include "actors/runtime.hpp"
#include "actors/system_config.hpp"
#include "apps/troupe/stop_signals.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace troupe::cli {

/// An actor system and the agents of one file in it.
class host {
public:
  /// Starts everything and returns at once. What is wrong has been said on stderr when there is none, and put
  /// into `why` if that is given. `takes_up`: goes on with these of the runs that others did not live to end.
  static std::unique_ptr<host> start(config::configuration file, const stop_signals& signals,
                                     error* why = nullptr, std::optional<orphan_filter> takes_up = {});
  /// Shuts down with no grace, unless that is done.
  ~host();
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  caf::actor_system& system() noexcept { return system_; }
  const runtime& agents() const noexcept { return *agents_; }

  /// Finishes runs for up to `grace` and closes MCP servers. From then on a signal ends the program at once.
  void shutdown(std::chrono::milliseconds grace);

private:
  explicit host(const stop_signals& signals);

  const stop_signals& signals_;
  /// From the shutdown on until the actor system is gone, which is why it stands before it.
  std::optional<impatience> impatience_;
  system_config config_;
  caf::actor_system system_;
  std::optional<runtime> agents_;
};

} // namespace troupe::cli
