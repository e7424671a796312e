#pragma once

#include "libagent/config/config.hpp"
#include "libagent/run/toolbox.hpp"

#include <map>
#include <string>
#include <vector>

/// What an agent file says of tools, held against the tools that there are.
namespace troupe::cli {

/// What MCP servers offer, before the file's `allowed_tools` and `blocked_tools`. Servers that did not come
/// up are not among them.
using server_tools = std::map<std::string, shared_tools>;

/// Those that the file keeps.
shared_tools kept_tools(const config::mcp_server_options& server, const shared_tools& offered);

/// What the agent's model is offered, without the tools of servers that did not come up.
toolbox tools_of(const config::configuration& file, const agent_definition& agent,
                 const server_tools& offered);

/// Names of tools that nobody has, and arguments that no tool takes, where that can be told: not of agents
/// and servers whose tools are not all known, and not of tools that may take any arguments.
std::vector<config::diagnostic> find_tool_hints(const config::configuration& file,
                                                const std::string& file_name, const server_tools& offered);

} // namespace troupe::cli
