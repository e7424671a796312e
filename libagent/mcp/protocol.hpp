#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

/// What both ends of MCP's handshake era agree on.
namespace troupe::mcp {

/// The revisions that are spoken, newest first.
inline constexpr std::array<std::string_view, 4> protocol_versions = {"2025-11-25", "2025-06-18",
                                                                      "2025-03-26", "2024-11-05"};
inline constexpr std::string_view latest_version = protocol_versions.front();
/// The only revision with JSON-RPC batches.
inline constexpr std::string_view batch_version = "2025-03-26";

inline bool is_known_version(std::string_view version) noexcept {
  return std::find(protocol_versions.begin(), protocol_versions.end(), version) != protocol_versions.end();
}

/// Arrays and objects inside each other that a message may have; far more than any tool needs, and little
/// enough for code that recurses over it.
inline constexpr std::size_t max_message_depth = 128;

} // namespace troupe::mcp
