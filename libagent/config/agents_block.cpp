#include "libagent/config/agent_parts.hpp"
#include "libagent/config/blocks.hpp"
#include "libagent/config/conditions.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/tool_mentions.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

void set_word(map_reader& settings, std::string_view key, std::optional<std::string>& into,
              const std::vector<std::string>& words) {
  std::size_t found = 0;
  if (settings.set(key, found, read_word, words))
    into = words[found];
}

/// Words of `tool_choice` that are no tool's name.
bool is_any_tool(std::string_view choice) {
  return choice == "auto" || choice == "none" || choice == "required";
}

void read_settings(map_reader& agent, model_settings& into) {
  const auto from = agent.find("model_settings");
  if (!from)
    return;
  auto settings = map_reader{*from, from->what};
  settings.set("temperature", into.temperature, read_number, 0.0, 2.0);
  settings.set("top_p", into.top_p, read_number, 0.0, 1.0);
  settings.set("max_tokens", into.max_tokens, read_count, 1, defaults::largest_count);
  if (settings.set("tool_choice", into.tool_choice, read_name) && !is_any_tool(*into.tool_choice))
    mention_tool(*settings.find("tool_choice"));
  settings.set("parallel_tool_calls", into.parallel_tool_calls, read_boolean);
  set_word(settings, "reasoning_effort", into.reasoning_effort, {"minimal", "low", "medium", "high"});
  set_word(settings, "reasoning_summary", into.reasoning_summary, {"auto", "concise", "detailed"});
  settings.set("thinking_tokens", into.thinking_tokens, read_count, defaults::least_thinking_tokens,
               defaults::largest_count);
  settings.finish();
}

/// Leaves out servers that are switched off in the file, with a warning. True if there are any.
bool read_servers(map_reader& agent, std::vector<std::string>& into, const std::string& path) {
  const auto from = agent.find("mcp_servers");
  const auto names = from ? read_names(*from, path + "/written_mcp_servers") : std::nullopt;
  if (!names)
    return false;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto& name = (*names)[i];
    const auto where = from->ctx.where[fmt::format("{}/written_mcp_servers/{}", path, i)];
    if (from->ctx.disabled_servers.contains(name)) {
      from->ctx.warn(
          where.at, fmt::format("{} names an MCP server that is disabled{}; the agent goes without its tools",
                                agent.what(), where.literal ? " (" + in_quotes(name) + ")" : ""));
      continue;
    }
    from->ctx.where[fmt::format("{}/mcp_servers/{}", path, into.size())] = where;
    into.push_back(name);
  }
  return into.size() < names->size();
}

void read_instructions(map_reader& agent, agent_definition& into) {
  const auto from = agent.find("instructions");
  if (!from)
    return;
  if (from->value.type == node::kind::text) {
    agent.set("instructions", into.instructions, read_text);
    return;
  }
  if (from->value.type != node::kind::map)
    return from->wrong("a text, or a map such as {template: 'You help {{context.user}}.'}");
  auto instructions = map_reader{*from, from->what};
  if (instructions.need("template", "template: TEXT"))
    instructions.set("template", into.instructions_source, read_template, names_of_runs());
  instructions.finish();
}

/// "agent 'triage'", or "agent 2" where the name is missing or not to be shown.
std::string describe_agent(const field& from, std::size_t number) {
  if (from.value.type == node::kind::map)
    for (const auto& [key, at, value] : from.value.entries)
      if (key == "name" && value->type == node::kind::text && !value->substituted && !value->text.empty())
        return "agent " + in_quotes(value->text);
  return fmt::format("agent {}", number);
}

agent_definition read_agent(const field& from, const std::string& path) {
  auto read = agent_definition{};
  auto mentions = mentions_scope{from.ctx};
  auto agent = map_reader{from, from.what};
  const auto name = agent.is_map() ? agent.need("name", "name: NAME") : std::nullopt;
  if (name) {
    const auto is_read = agent.set("name", read.name, read_text);
    name->mark(path + "/name", !is_read);
  }
  from.ctx.where[path] = {name ? name->value.at : from.value.at, true, !agent.is_map()};
  agent.set("description", read.description, read_text);
  read_kind(agent, read.kind, path);
  read_instructions(agent, read);
  if (const auto model = agent.find("model"))
    model->mark(path + "/model", !agent.set("model", read.model, read_name));
  read_settings(agent, read.settings);
  read_handoffs(agent, read, path);
  const auto lacks_tools = read_servers(agent, read.mcp_servers, path);
  read_tool_use(agent, read, path);
  read_team(agent, read, path);
  read_guardrail_uses(agent, read, path);
  read_output(agent, read);
  agent.finish();
  mentions.set_owner(tool_mention::owner::agent, read.name);
  if (lacks_tools)
    mentions.forget();
  return read;
}

} // namespace

void read_agents(const field& from, std::vector<agent_definition>& into) {
  if (from.value.type == node::kind::map)
    from.wrong("a list, each agent with a name: '- name: NAME'");
  from.mark("agents", from.value.type != node::kind::list);
  const auto list =
      from.value.type != node::kind::map ? read_list(from, "[{name: assistant}]") : std::nullopt;
  if (!list)
    return;
  for (const auto& one : *list) {
    const auto what = describe_agent(one, into.size() + 1);
    into.push_back(read_agent({one.ctx, one.value, what, one.key_at}, fmt::format("agents/{}", into.size())));
  }
}

} // namespace troupe::config
