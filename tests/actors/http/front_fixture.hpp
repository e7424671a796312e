#pragma once

#include "actors/http/front.hpp"
#include "actors/io/reactor.hpp"
#include "actors/system_config.hpp"
#include "tests/actors/http/raw_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// Answered once so many prompts are held.
using held_atom = caf::atom_constant<caf::atom("held")>;
/// Lets go of all prompts that are held.
using release_atom = caf::atom_constant<caf::atom("release")>;

/// Sessions that play. A prompt "fail N" fails with the code N, "hold" waits to be released, all else comes
/// back as it is. There is one session, "known".
using fake_sessions_actor = sessions_actor::extend<caf::replies_to<held_atom, std::size_t>::with<std::size_t>,
                                                   caf::replies_to<release_atom>::with<std::size_t>>;

/// A front end on a port of its own, with the agents "triage" and "helper". One MCP server, "files", is
/// ready, another, "gone", has died.
class front_fixture {
public:
  front_fixture() : front_fixture(quick_options()) {}
  explicit front_fixture(const config::server_options& options);
  ~front_fixture();

  /// Loopback, any port, and bounds that tests can reach.
  static config::server_options quick_options();

  /// Another front end over the same sessions.
  http_front_actor spawn(const config::server_options& options);
  result<std::uint16_t> port_of(const http_front_actor& which);
  std::uint16_t port() const noexcept { return port_; }
  /// Tells the front end to stop; `wait_for_stop` returns when it says that it has.
  void begin_stop(std::chrono::milliseconds grace) { begin_stop(front, grace); }
  void begin_stop(const http_front_actor& which, std::chrono::milliseconds grace);
  void wait_for_stop();
  /// Both.
  void stop(std::chrono::milliseconds grace);
  /// Returns when an actor is gone.
  void wait_for_exit(const http_front_actor& which);
  /// Returns when the sessions hold so many prompts.
  void wait_for_held(std::size_t count);
  void release();

  std::unique_ptr<io::reactor> reactor = std::make_unique<io::reactor>();

private:
  system_config config_;
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  fake_sessions_actor sessions_;
  mcp_server_actor files_;
  mcp_server_actor gone_;
  std::future<void> stopping_;
  std::uint16_t port_ = 0;

public:
  http_front_actor front;
};

} // namespace troupe::testing
