#pragma once

#include "actors/messages.hpp"
#include "libagent/core/json.hpp"

#include <string>
#include <vector>

namespace troupe::cli {

/// What `troupe check` found out.
struct check_report {
  std::vector<agent_info> agents;
  std::vector<mcp_status> servers;
  /// What works but is probably not meant.
  std::vector<std::string> warnings;
};

/// Whether all that should run does.
bool all_well(const check_report& report);

/// `{"agents":[{"name","model","tools","handoffs"}],
///   "mcp_servers":[{"name","state","protocol_version","server_info","tools","error"?}]}`, where
/// `protocol_version` and `server_info` (`{"name","version"}`) are null for a server that never answered.
json to_json(const check_report& report);

/// For people, with one trailing newline.
std::string to_text(const check_report& report);

} // namespace troupe::cli
