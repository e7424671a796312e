#pragma once

#include "libagent/config/reader.hpp"

#include <string>

/// The parts of an agent. `path` is the agent's place in the configuration.
namespace troupe::config {

void read_handoffs(map_reader& agent, agent_definition& into, const std::string& path);
/// Other agents as tools, the policies for tools, and what comes after tools were called.
void read_tool_use(map_reader& agent, agent_definition& into, const std::string& path);
/// Members, and how they work together.
void read_team(map_reader& agent, agent_definition& into, const std::string& path);
void read_guardrail_uses(map_reader& agent, agent_definition& into, const std::string& path);
void read_output(map_reader& agent, agent_definition& into);

/// Reads `kind` and reports keys that mean nothing for it.
void read_kind(map_reader& agent, agent_kind& into, const std::string& path);

/// A name that models know a tool by.
std::optional<std::string> read_tool_name(const field& from);

} // namespace troupe::config
