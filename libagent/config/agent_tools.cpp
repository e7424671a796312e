#include "libagent/config/agent_parts.hpp"
#include "libagent/config/conditions.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/tool_mentions.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

constexpr milliseconds some_time{1};

agent_tool read_agent_tool(const field& from, const std::string& path) {
  auto into = agent_tool{};
  auto tool = map_reader{from, from.what};
  const auto agent = tool.need("agent", "agent: NAME");
  const auto is_read = agent && tool.set("agent", into.agent, read_name);
  tool.set("tool_name", into.tool_name, read_tool_name);
  tool.set("description", into.description, read_text);
  tool.finish();
  if (agent)
    agent->mark(path, !is_read);
  if (const auto name = tool.find("tool_name"); name && name->value.substituted)
    from.ctx.where[path].literal = false;
  return into;
}

void read_agent_tools(map_reader& agent, std::vector<agent_tool>& into, const std::string& path) {
  const auto from = agent.find("agent_tools");
  const auto list = from ? read_list(*from, "[one, {agent: another, tool_name: ask_another}]") : std::nullopt;
  if (!list)
    return;
  for (const auto& one : *list) {
    const auto at = fmt::format("{}/agent_tools/{}", path, into.size());
    one.mark(at);
    auto read = agent_tool{};
    if (one.value.type == node::kind::map)
      read = read_agent_tool(one, at);
    else if (auto name = read_name(one))
      read.agent = std::move(*name);
    if (!read.agent.empty())
      into.push_back(std::move(read));
  }
}

tool_policy read_policy(const field& from, const std::string& path) {
  auto into = tool_policy{};
  auto policy = map_reader{from, from.what};
  policy.set("timeout", into.timeout, read_duration, some_time);
  std::size_t on_error = 0;
  policy.set("on_error", on_error, read_word, std::vector<std::string>{"tell_model", "fail_run"});
  into.fails_run = on_error == 1;
  policy.set("enabled", into.enabled, read_condition, names_of_runs());
  policy.set("approval", into.approval, read_approval);
  policy.set("repeatable", into.repeatable, read_boolean);
  policy.set("input_guardrails", into.input_guardrails, read_names, path + "/input_guardrails");
  policy.set("output_guardrails", into.output_guardrails, read_names, path + "/output_guardrails");
  policy.finish();
  return into;
}

/// A key that is the name of a tool.
void mention_key(const field& from, const std::string& name, place at) {
  auto made = tool_mention{};
  made.what = from.what;
  made.line = at.line;
  made.column = at.column;
  made.tool = name;
  made.by_own_name = true;
  from.ctx.tool_mentions.push_back(std::move(made));
}

void read_policies(map_reader& agent, agent_definition& into, const std::string& path) {
  const auto from = agent.find("tools");
  if (!from)
    return;
  if (from->value.type != node::kind::map)
    return from->wrong("a map from names of tools to what holds for them, such as {search: {timeout: 10s}}");
  for (const auto& [name, at, value] : from->value.entries) {
    const auto what = fmt::format("tool {} in {}", key_in_quotes(name), agent.what());
    auto mentions = mentions_scope{from->ctx};
    into.tool_policies.emplace(
        name, read_policy({from->ctx, *value, what, at}, fmt::format("{}/tools/{}", path, name)));
    mentions.set_tool(name);
    if (name != "*")
      mention_key(*from, name, at);
  }
}

std::optional<stop_rule> read_stop_rule(const field& from) {
  using kind = stop_rule::kind;
  if (from.value.type == node::kind::text) {
    const auto word = read_word(from, {"run_llm_again", "stop_on_first_tool"});
    return word ? std::optional{stop_rule{*word == 0 ? kind::run_llm_again : kind::stop_on_first_tool, {}}}
                : std::nullopt;
  }
  if (from.value.type != node::kind::map) {
    from.wrong("run_llm_again, stop_on_first_tool, or a map such as {stop_at_tools: [search]}");
    return std::nullopt;
  }
  auto into = stop_rule{kind::stop_at_tools, {}};
  auto rule = map_reader{from, from.what};
  if (const auto tools = rule.need("stop_at_tools", "stop_at_tools: [TOOL, ...]")) {
    if (rule.set("stop_at_tools", into.tools, read_names, std::string{"stop_at_tools"}) &&
        tools->value.items.empty())
      tools->fail("is an empty list; give it the name of a tool");
    else
      mention_tools(*tools);
  }
  rule.finish();
  return into;
}

} // namespace

std::optional<std::string> read_tool_name(const field& from) {
  auto name = read_name(from);
  if (name && safe_tool_name(*name) != *name) {
    from.fail("is no name that models take for a tool; use letters, digits, '_' and '-', at most 64 of them");
    return std::nullopt;
  }
  return name;
}

void read_tool_use(map_reader& agent, agent_definition& into, const std::string& path) {
  read_agent_tools(agent, into.agent_tools, path);
  read_policies(agent, into, path);
  agent.set("tool_use_behavior", into.tool_use_behavior, read_stop_rule);
  agent.set("reset_tool_choice", into.reset_tool_choice, read_boolean);
}

} // namespace troupe::config
