#include "apps/troupe/tool_hints.hpp"

#include "libagent/config/spelling.hpp"
#include "libagent/mcp/tool_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

namespace troupe::cli {

namespace {

using strings = std::vector<std::string>;
using config::tool_mention;

bool has(const strings& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A tool by the names that it goes by.
struct known_tool {
  std::string name;
  std::string own_name;
  const json_schema* input = nullptr;
  bool is_handoff = false;
};

/// Names of arguments; nothing where a tool may take any.
std::optional<strings> arguments_of(const json& schema) {
  constexpr std::array open_keywords = {"$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"};
  for (const auto* keyword : open_keywords)
    if (find(schema, keyword))
      return std::nullopt;
  const auto* others = find(schema, "additionalProperties");
  const auto is_closed = others && others->is_boolean() && !others->get<bool>();
  const auto* properties = find(schema, "properties");
  if ((others && !is_closed) || (!properties && !is_closed))
    return std::nullopt;
  strings names;
  if (properties)
    for (const auto& [name, value] : properties->items())
      names.push_back(name);
  return names;
}

/// What can be said of the tools of one agent or server.
class inspector {
public:
  inspector(const tool_mention& mention, std::vector<known_tool> tools)
      : mention_(mention), tools_(std::move(tools)) {}

  /// What is not right; empty if all is.
  std::string look() const { return mention_.arguments.empty() ? look_at_name() : look_at_arguments(); }

private:
  bool is_meant(const known_tool& tool) const {
    if (mention_.tool.empty())
      return !tool.is_handoff;
    return tool.name == mention_.tool || tool.own_name == mention_.tool;
  }

  std::string look_at_name() const {
    strings known;
    for (const auto& tool : tools_) {
      // What an agent says of its tools does not hold for its handoffs.
      if (mention_.by_own_name && tool.is_handoff)
        continue;
      known.push_back(tool.name);
      if (mention_.by_own_name && !has(known, tool.own_name))
        known.push_back(tool.own_name);
    }
    if (has(known, mention_.tool))
      return {};
    return fmt::format("{} names {}, which is no tool of the {}; {}", mention_.what,
                       mention_.literal ? config::in_quotes(mention_.tool) : "'${...}'",
                       mention_.whose == tool_mention::owner::agent ? "agent" : "server",
                       right_instead(known));
  }

  std::string right_instead(const strings& known) const {
    if (known.empty())
      return "there are none";
    return mention_.literal ? config::suggestion(mention_.tool, known, "tools")
                            : "tools are " + config::listed(known);
  }

  std::string look_at_arguments() const {
    strings known;
    auto is_any = false;
    for (const auto& tool : tools_) {
      if (!is_meant(tool))
        continue;
      is_any = true;
      const auto names = arguments_of(tool.input->document());
      if (!names)
        return {};
      for (const auto& name : *names)
        if (!has(known, name))
          known.push_back(name);
    }
    const auto unknown = std::find_if(mention_.arguments.begin(), mention_.arguments.end(),
                                      [&](const std::string& name) { return !has(known, name); });
    if (!is_any || unknown == mention_.arguments.end())
      return {};
    const auto taker = mention_.tool.empty() ? "no tool takes" : "the tool does not take";
    return fmt::format("{} asks for the argument {}, which {}; {}", mention_.what,
                       config::in_quotes(*unknown), taker,
                       known.empty() ? "there are none" : config::suggestion(*unknown, known, "arguments"));
  }

  const tool_mention& mention_;
  std::vector<known_tool> tools_;
};

std::vector<known_tool> known_of(const toolbox& box) {
  std::vector<known_tool> tools;
  for (std::size_t i = 0; i < box.entries().size(); ++i)
    tools.push_back({(*box.offered())[i].name, box.entries()[i].name, &(*box.offered())[i].input,
                     box.entries()[i].what == toolbox_entry::kind::handoff});
  return tools;
}

std::vector<known_tool> known_of(const tool_list& list) {
  std::vector<known_tool> tools;
  for (const auto& tool : list)
    tools.push_back({tool.name, tool.name, &tool.input, false});
  return tools;
}

/// The file has no references to agents that do not exist.
const agent_definition& definition_of(const config::configuration& file, const std::string& name) {
  return *std::find_if(file.agents.begin(), file.agents.end(),
                       [&](const agent_definition& each) { return each.name == name; });
}

bool is_known(const agent_definition& agent, const server_tools& offered) {
  return std::all_of(agent.mcp_servers.begin(), agent.mcp_servers.end(),
                     [&](const std::string& server) { return offered.contains(server); });
}

std::string inspect_server(const config::configuration& file, const tool_mention& mention,
                           const server_tools& offered) {
  const auto tools = offered.find(mention.owner_name);
  const auto server = std::find_if(file.mcp_servers.begin(), file.mcp_servers.end(),
                                   [&](const auto& each) { return each.name == mention.owner_name; });
  if (tools == offered.end() || server == file.mcp_servers.end())
    return {};
  // Names may be of tools that are blocked; arguments are of those that can be called.
  const auto looked_at = mention.arguments.empty() ? tools->second : kept_tools(*server, tools->second);
  return inspector{mention, known_of(*looked_at)}.look();
}

/// What there is to say of the mention; empty if nothing, or nothing can be told.
std::string inspect(const config::configuration& file, const tool_mention& mention,
                    const server_tools& offered) {
  if (mention.whose == tool_mention::owner::server)
    return inspect_server(file, mention, offered);
  const auto& agent = definition_of(file, mention.owner_name);
  if (!is_known(agent, offered))
    return {};
  const auto box = tools_of(file, agent, offered);
  return inspector{mention, known_of(box)}.look();
}

} // namespace

shared_tools kept_tools(const config::mcp_server_options& server, const shared_tools& offered) {
  const auto filter = mcp::tool_filter{server.allowed_tools, server.blocked_tools};
  auto kept = std::make_shared<tool_list>();
  for (const auto& tool : *offered)
    if (filter.keeps(tool.name))
      kept->push_back(tool);
  return kept;
}

toolbox tools_of(const config::configuration& file, const agent_definition& agent,
                 const server_tools& offered) {
  std::vector<tool_source> sources;
  for (const auto& name : agent.mcp_servers)
    for (const auto& server : file.mcp_servers)
      if (const auto tools = offered.find(name); server.name == name && tools != offered.end())
        sources.push_back({name, kept_tools(server, tools->second)});
  std::vector<handoff_target> handoffs;
  for (const auto& each : agent.handoffs)
    handoffs.push_back(make_handoff_target(each, definition_of(file, each.agent)));
  std::vector<agent_target> agents;
  for (const auto& each : agent.agent_tools)
    agents.push_back(make_agent_target(each, definition_of(file, each.agent)));
  return toolbox{sources, handoffs, agents};
}

std::vector<config::diagnostic> find_tool_hints(const config::configuration& file,
                                                const std::string& file_name, const server_tools& offered) {
  std::vector<config::diagnostic> hints;
  for (const auto& mention : file.tool_mentions)
    if (auto wrong = inspect(file, mention, offered); !wrong.empty())
      hints.push_back({file_name, mention.line, mention.column, std::move(wrong)});
  std::stable_sort(hints.begin(), hints.end(), [](const auto& left, const auto& right) {
    return std::tie(left.line, left.column) < std::tie(right.line, right.column);
  });
  return hints;
}

} // namespace troupe::cli
