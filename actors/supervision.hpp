#pragma once

#include "libagent/model/circuit_breaker.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How actors are, for people who operate them.
namespace troupe {

/// A breaker as it stands.
struct breaker_status {
  breaker_state state = breaker_state::closed;
  /// In a row.
  unsigned failures = 0;
  /// Since it opened; nothing while closed.
  std::optional<std::chrono::milliseconds> open_for{};
  /// Until what it guards is tried again; nothing while closed.
  std::optional<std::chrono::milliseconds> retry_in{};
};

/// What an actor tells of itself, at once.
struct actor_status {
  /// Messages that wait for it.
  std::size_t mailbox = 0;
  /// What it has under way, and what waits for its turn; nothing for those that do not count it.
  std::optional<std::size_t> in_flight{};
  std::optional<std::size_t> waiting{};
  std::optional<breaker_status> breaker{};
  /// What it has refused since it was started: for there was too much, for its breaker was open.
  std::uint64_t refused_full = 0;
  std::uint64_t refused_open = 0;
  /// Further tries.
  std::uint64_t retries = 0;
  /// Why what it did last failed, for those that do something for others; empty if it never did.
  std::string last_error{};
};

/// An actor that can tell.
template <class Self>
actor_status status_of(Self* self) {
  actor_status status;
  status.mailbox = self->mailbox().size();
  return status;
}

/// One part of a runtime.
struct system_node {
  std::string name;
  /// "root", "group", "model", "recording", "fallback", "mcp_server", "store", "hook", "agent", "sessions" or
  /// "http_front".
  std::string kind;
  /// "running"; "restarting" while it waits to be started again; "failed" while its breaker is open; "down"
  /// for an embedder's actor that has ended, which nobody can start again; "not_answering". An MCP server's
  /// own word where that is another.
  std::string state = "running";
  std::uint64_t restarts = 0;
  std::optional<std::size_t> mailbox{};
  std::optional<std::size_t> in_flight{};
  std::optional<std::size_t> waiting{};
  std::optional<breaker_status> breaker{};
  /// Why it ended last, or (a model) why its last call that failed did; empty if never.
  std::string last_error{};
  /// For one that is restarting or failed: until it is started again.
  std::optional<std::chrono::milliseconds> retry_in{};
  /// As in `actor_status`.
  std::uint64_t refused_full = 0;
  std::uint64_t refused_open = 0;
  std::uint64_t retries = 0;
  std::vector<system_node> children{};
};

/// A runtime as a tree.
struct system_status {
  std::chrono::milliseconds uptime{0};
  system_node root;
};
using system_status_ptr = std::shared_ptr<const system_status>;

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actor_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::system_status_ptr)
