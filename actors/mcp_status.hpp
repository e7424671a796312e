#pragma once

#include "actors/supervision.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How MCP servers stand.
namespace troupe {

enum class mcp_state : std::uint8_t { starting = 1, ready, restarting, failed };
/// "starting", "ready", "restarting" or "failed".
std::string_view to_string(mcp_state state) noexcept;

struct mcp_status {
  std::string name;
  mcp_state state = mcp_state::starting;
  /// Of the running process, or 0.
  std::int64_t pid = 0;
  /// Empty until negotiated.
  std::string protocol_version;
  std::string server_name;
  std::string server_version;
  std::vector<std::string> tools;
  std::uint64_t restarts = 0;
  /// Why it last went away or did not come up; empty if never.
  std::string last_error;
  std::uint64_t stray_lines = 0;
  /// Of its restarts. Half-open once it is tried again, until it has been up for a while.
  breaker_status breaker{};
  /// Until the next start, where one is planned.
  std::optional<std::chrono::milliseconds> retry_in{};
  std::size_t mailbox = 0;
  std::size_t calls_in_flight = 0;
  std::size_t calls_waiting = 0;
  /// Calls refused since it was started, for too many were waiting.
  std::uint64_t calls_refused = 0;
};

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::mcp_status)
