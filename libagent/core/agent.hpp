#pragma once

#include "libagent/core/tool.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Settings of a model call that an agent may choose. Absent means: the endpoint's own default.
struct model_settings {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<unsigned> max_tokens;
  /// "auto", "none", "required", or the name of a tool.
  std::optional<std::string> tool_choice;
  std::optional<bool> parallel_tool_calls;

  friend bool operator==(const model_settings&, const model_settings&) = default;
};

/// What an agent is. Names are unique among agents; references are by name.
struct agent_definition {
  std::string name;
  /// What a handoff tells other models about this agent.
  std::string description;
  /// The system message. Never shown to clients.
  std::string instructions;
  /// A name of the `models` block.
  std::string model = "default";
  model_settings settings;
  std::vector<std::string> handoffs;
  std::vector<std::string> mcp_servers;
};

/// The tool by which a model hands off to the agent: `transfer_to_<name>`, lower case, characters outside
/// [A-Za-z0-9_] as `_`.
std::string handoff_tool_name(std::string_view agent_name);
/// "Handoff to the <name> agent to handle the request. <description>".
std::string handoff_tool_description(const agent_definition& target);

} // namespace troupe
