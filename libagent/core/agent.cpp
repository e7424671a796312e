#include "libagent/core/agent.hpp"

#include "libagent/core/strict_schema.hpp"

#include <fmt/format.h>

namespace troupe {

std::string handoff_tool_name(std::string_view agent_name) {
  std::string name = "transfer_to_";
  for (const char c : agent_name) {
    if (c >= 'A' && c <= 'Z')
      name += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')
      name += c;
    else
      name += '_';
  }
  return safe_tool_name(name);
}

output_schema make_output_schema(std::string_view name, json_schema schema) {
  auto strict = make_strict(schema.document());
  auto format = std::make_shared<const output_format>(
      output_format{safe_tool_name(name), std::move(strict.schema), strict.is_strict});
  return {std::move(schema), std::move(format), std::move(strict.limits)};
}

std::string agent_tool_name(const agent_tool& tool) {
  return safe_tool_name(tool.tool_name.empty() ? tool.agent : tool.tool_name);
}

std::string handoff_tool_description(const agent_definition& target) {
  return fmt::format("Handoff to the {} agent to handle the request. {}", target.name, target.description);
}

} // namespace troupe
