#pragma once

#include "actors/http/front.hpp"
#include "actors/io/reactor.hpp"
#include "actors/system_config.hpp"
#include "tests/actors/http/fake_sessions.hpp"
#include "tests/actors/http/raw_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace troupe::testing {

/// A front end on a port of its own, with the agents "triage" and "helper". One MCP server, "files", is
/// ready, another, "gone", has died.
class front_fixture {
public:
  front_fixture() : front_fixture(quick_options()) {}
  explicit front_fixture(const config::server_options& options, http_streaming streaming = {},
                         std::chrono::milliseconds queue_wait = std::chrono::hours(1),
                         std::shared_ptr<memory_watch> memory = {});
  ~front_fixture();

  /// Loopback, any port, and bounds that tests can reach.
  static config::server_options quick_options();

  /// Another front end over the same sessions.
  http_front_actor spawn(const config::server_options& options, http_streaming streaming = {});
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
  /// Returns when a run was cancelled: its id.
  std::string wait_for_cancelled();

  /// Bytes that the prompt "flood" has told.
  std::shared_ptr<std::atomic<std::size_t>> flooded = std::make_shared<std::atomic<std::size_t>>(0);
  std::unique_ptr<io::reactor> reactor = std::make_unique<io::reactor>();

private:
  system_config config_;
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  std::chrono::milliseconds queue_wait_;
  std::shared_ptr<memory_watch> memory_;
  fake_sessions_actor sessions_;
  mcp_server_actor files_;
  mcp_server_actor gone_;
  std::future<void> stopping_;
  std::uint16_t port_ = 0;

public:
  http_front_actor front;
};

} // namespace troupe::testing
