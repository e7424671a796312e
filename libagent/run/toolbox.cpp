#include "libagent/run/toolbox.hpp"

#include "libagent/run/outside.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe {

namespace {

/// Finds names that are free of each other.
class namer {
public:
  namer(const std::vector<tool_source>& sources, const std::vector<handoff_target>& handoffs,
        const std::vector<agent_target>& agents) {
    for (const auto& source : sources)
      for (const auto& tool : *source.tools)
        ++counts_[safe_tool_name(tool.name)];
    for (const auto& handoff : handoffs)
      reserve(handoff.tool.name);
    for (const auto& agent : agents)
      reserve(agent.tool.name);
  }

  std::string name(const std::string& owner, const std::string& tool) {
    auto name = safe_tool_name(tool);
    if (counts_.at(name) > 1 && !owner.empty())
      name = safe_tool_name(fmt::format("{}_{}", owner, tool));
    name = first_free(std::move(name));
    taken_.insert(name);
    return name;
  }

private:
  /// What an agent's definition names itself counts like another owner's tool.
  void reserve(const std::string& name) {
    ++counts_[name];
    taken_.insert(name);
  }

  std::string first_free(std::string name) const {
    if (!taken_.contains(name))
      return name;
    for (unsigned n = 2;; ++n) {
      auto candidate = safe_tool_name(fmt::format("{}_{}", name, n));
      if (!taken_.contains(candidate))
        return candidate;
    }
  }

  std::map<std::string, unsigned> counts_;
  std::set<std::string> taken_;
};

/// The policy for a tool, sharing the life of the definition that holds it.
std::shared_ptr<const tool_policy> find_policy(const std::shared_ptr<const agent_definition>& definition,
                                               const std::string& offered, const std::string& own) {
  if (!definition)
    return nullptr;
  for (const std::string_view name :
       {std::string_view(offered), std::string_view(own), std::string_view("*")})
    if (const auto found = definition->tool_policies.find(name); found != definition->tool_policies.end())
      return {definition, &found->second};
  return nullptr;
}

const condition* condition_of(const toolbox_entry& entry) {
  if (entry.handoff && entry.handoff->enabled)
    return &entry.handoff->enabled;
  if (entry.policy && entry.policy->enabled)
    return &entry.policy->enabled;
  return nullptr;
}

json_schema no_input() {
  static const auto schema = *json_schema::compile({{"type", "object"},
                                                    {"properties", json::object()},
                                                    {"required", json::array()},
                                                    {"additionalProperties", false}});
  return schema;
}

json_schema text_input() {
  static const auto schema = *json_schema::compile(
      {{"type", "object"},
       {"properties", {{"input", {{"type", "string"}, {"description", "What the agent is asked."}}}}},
       {"required", {"input"}},
       {"additionalProperties", false}});
  return schema;
}

} // namespace

handoff_target make_handoff_target(const agent_definition& target) {
  return {target.name, {handoff_tool_name(target.name), handoff_tool_description(target), no_input()}};
}

handoff_target make_handoff_target(const handoff_definition& rules, const agent_definition& target) {
  auto made = make_handoff_target(target);
  made.rules = std::make_shared<const handoff_definition>(rules);
  if (!rules.tool_name.empty())
    made.tool.name = safe_tool_name(rules.tool_name);
  if (!rules.description.empty())
    made.tool.description = rules.description;
  if (rules.input)
    made.tool.input = *rules.input;
  return made;
}

agent_target make_agent_target(const agent_tool& rules, const agent_definition& target) {
  return {target.name,
          {agent_tool_name(rules), rules.description.empty() ? target.description : rules.description,
           text_input()}};
}

toolbox::toolbox(const std::vector<tool_source>& sources, const std::vector<handoff_target>& handoffs,
                 const std::vector<agent_target>& agents,
                 const std::shared_ptr<const agent_definition>& definition) {
  using kind = toolbox_entry::kind;
  auto names = namer(sources, handoffs, agents);
  auto list = std::make_shared<tool_list>();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (const auto& tool : *sources[i].tools) {
      auto name = names.name(sources[i].owner, tool.name);
      auto policy = find_policy(definition, name, tool.name);
      const auto declared = policy ? policy->repeatable : std::nullopt;
      const auto is_repeatable = declared.value_or(tool.is_repeatable && sources[i].is_trusted);
      entries_.push_back({kind::tool,
                          i,
                          tool.name,
                          sources[i].owner,
                          std::move(policy),
                          {},
                          sources[i].approval,
                          is_repeatable});
      list->push_back({std::move(name), tool.description, tool.input});
    }
  }
  for (const auto& agent : agents) {
    entries_.push_back(
        {kind::agent, 0, agent.agent, {}, find_policy(definition, agent.tool.name, agent.agent)});
    list->push_back(agent.tool);
  }
  for (const auto& handoff : handoffs) {
    entries_.push_back({kind::handoff, 0, handoff.agent, {}, {}, handoff.rules});
    list->push_back(handoff.tool);
  }
  offered_ = std::move(list);
}

bool toolbox::has_conditions() const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const toolbox_entry& entry) { return condition_of(entry) != nullptr; });
}

result<toolbox> toolbox::enabled_in(const json& scope) const {
  toolbox left;
  auto list = std::make_shared<tool_list>();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& tool = (*offered_)[i];
    if (const auto* test = condition_of(entries_[i])) {
      const auto enabled = call_outside(*test, scope);
      if (!enabled)
        return cannot_go_on(fmt::format("whether '{}' is enabled cannot be told", tool.name),
                            enabled.error());
      if (!*enabled)
        continue;
    }
    left.entries_.push_back(entries_[i]);
    list->push_back(tool);
  }
  left.offered_ = std::move(list);
  return left;
}

std::size_t toolbox::find(std::string_view name) const noexcept {
  const auto& list = *offered_;
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const tool_spec& tool) { return tool.name == name; });
  return found == list.end() ? npos : static_cast<std::size_t>(found - list.begin());
}

} // namespace troupe
