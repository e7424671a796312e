#pragma once

#include "apps/hostwatch/log_files.hpp"
#include "libagent/mcp/server_session.hpp"

#include <vector>

namespace troupe::hostwatch {

/// cpu_load, memory, disk_usage, top_processes and tail_log. Each gives JSON.
std::vector<mcp::served_tool> make_tools(log_files logs);

} // namespace troupe::hostwatch
