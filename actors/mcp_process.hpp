#pragma once

#include "actors/mcp_server.hpp"

#include <cstdint>
#include <memory>

namespace troupe {

/// Starts an MCP server's process. All that happens to it is sent to the actor as a `process_event` of that
/// generation; its stderr goes to the ring. Returns at once.
std::shared_ptr<io::child_process> start_mcp_process(io::reactor& io,
                                                     const config::mcp_server_options& options,
                                                     const supervised_mcp_server_actor& to,
                                                     std::uint64_t generation,
                                                     const std::shared_ptr<stderr_ring>& ring);

} // namespace troupe
