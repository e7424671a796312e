#include "libagent/core/agent.hpp"

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

std::string handoff_tool_description(const agent_definition& target) {
  auto text = fmt::format("Handoff to the {} agent to handle the request.", target.name);
  if (!target.description.empty())
    text += " " + target.description;
  return text;
}

} // namespace troupe
