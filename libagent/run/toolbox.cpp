#include "libagent/run/toolbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe {

namespace {

/// How often each safe name occurs: an own handoff counts like another owner's tool.
std::map<std::string, unsigned> count_names(const std::vector<tool_source>& sources,
                                            const std::vector<handoff_target>& handoffs) {
  std::map<std::string, unsigned> counts;
  for (const auto& source : sources)
    for (const auto& tool : *source.tools)
      ++counts[safe_tool_name(tool.name)];
  for (const auto& handoff : handoffs)
    ++counts[handoff.tool.name];
  return counts;
}

/// The name itself, or with the first number that makes it new.
std::string unique_name(std::string name, const std::set<std::string>& taken) {
  if (!taken.contains(name))
    return name;
  for (unsigned n = 2;; ++n) {
    auto candidate = safe_tool_name(fmt::format("{}_{}", name, n));
    if (!taken.contains(candidate))
      return candidate;
  }
}

} // namespace

handoff_target make_handoff_target(const agent_definition& target) {
  return {target.name, {handoff_tool_name(target.name), handoff_tool_description(target), json_schema()}};
}

toolbox::toolbox(const std::vector<tool_source>& sources, const std::vector<handoff_target>& handoffs) {
  const auto counts = count_names(sources, handoffs);
  std::set<std::string> taken;
  for (const auto& handoff : handoffs)
    taken.insert(handoff.tool.name);

  auto list = std::make_shared<tool_list>();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (const auto& tool : *sources[i].tools) {
      auto name = safe_tool_name(tool.name);
      if (counts.at(name) > 1 && !sources[i].owner.empty())
        name = safe_tool_name(fmt::format("{}_{}", sources[i].owner, tool.name));
      name = unique_name(std::move(name), taken);
      taken.insert(name);
      list->push_back({std::move(name), tool.description, tool.input});
      entries_.push_back({toolbox_entry::kind::tool, i, tool.name});
    }
  }
  for (const auto& handoff : handoffs) {
    list->push_back(handoff.tool);
    entries_.push_back({toolbox_entry::kind::handoff, 0, handoff.agent});
  }
  offered_ = std::move(list);
}

std::size_t toolbox::find(std::string_view name) const noexcept {
  const auto& list = *offered_;
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const tool_spec& tool) { return tool.name == name; });
  return found == list.end() ? npos : static_cast<std::size_t>(found - list.begin());
}

} // namespace troupe
