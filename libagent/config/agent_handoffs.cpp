#include "libagent/config/agent_parts.hpp"
#include "libagent/config/conditions.hpp"
#include "libagent/config/defaults.hpp"
#include "libagent/config/tool_mentions.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

namespace troupe::config {

namespace {

std::optional<json_schema> read_input_schema(const field& from) {
  auto schema = read_schema(from);
  if (!schema)
    return std::nullopt;
  const auto* type = find_string(schema->document(), "type");
  if (type && *type == "object")
    return schema;
  from.fail("does not describe an object, as what a model says in a call is; give it type: object");
  return std::nullopt;
}

std::optional<input_filter> read_filter(const field& from) {
  using kind = input_filter::kind;
  if (from.value.type == node::kind::text) {
    const auto word = read_word(from, {"keep_all", "drop_tools"});
    return word ? std::optional{input_filter{*word == 0 ? kind::keep_all : kind::drop_tools, 0, nullptr}}
                : std::nullopt;
  }
  if (from.value.type != node::kind::map) {
    from.wrong("keep_all, drop_tools, or a map such as {last: 20}");
    return std::nullopt;
  }
  auto into = input_filter{kind::last, 0, nullptr};
  auto filter = map_reader{from, from.what};
  if (filter.need("last", "last: N, a number of items"))
    filter.set("last", into.count, read_count, 1, defaults::largest_count);
  filter.finish();
  return into;
}

/// Remembers the place of the agent's name; a tool's name that a variable gave is not to be shown either.
void mark(map_reader& handoff, const std::string& path, bool broken) {
  const auto agent = handoff.find("agent");
  const auto tool = handoff.find("tool_name");
  if (!agent)
    return;
  agent->mark(path, broken);
  if (tool && tool->value.substituted)
    agent->ctx.where[path].literal = false;
}

handoff_definition read_handoff_map(const field& from, const std::string& path) {
  auto into = handoff_definition{};
  auto mentions = mentions_scope{from.ctx};
  auto handoff = map_reader{from, from.what};
  const auto is_read = handoff.need("agent", "agent: NAME") && handoff.set("agent", into.agent, read_name);
  handoff.set("tool_name", into.tool_name, read_tool_name);
  mark(handoff, path, !is_read);
  handoff.set("description", into.description, read_text);
  handoff.set("input_schema", into.input, read_input_schema);
  handoff.set("input_filter", into.filter, read_filter);
  handoff.set("nest_history", into.nest_history, read_boolean);
  handoff.set("enabled", into.enabled, read_condition, names_of_runs());
  handoff.set("approval", into.approval, read_approval);
  handoff.finish();
  mentions.set_tool(into.tool_name.empty() ? handoff_tool_name(into.agent) : into.tool_name);
  return into;
}

} // namespace

void read_handoffs(map_reader& agent, agent_definition& into, const std::string& path) {
  const auto from = agent.find("handoffs");
  if (!from)
    return;
  const auto list = read_list(*from, "[one, another]");
  from->mark(path + "/handoffs", !list);
  if (!list)
    return;
  for (const auto& one : *list) {
    const auto at = fmt::format("{}/handoffs/{}", path, into.handoffs.size());
    one.mark(at);
    auto read = handoff_definition{};
    if (one.value.type == node::kind::map)
      read = read_handoff_map(one, at);
    else if (auto name = read_name(one))
      read.agent = std::move(*name);
    if (!read.agent.empty())
      into.handoffs.push_back(std::move(read));
    else
      from->mark(path + "/handoffs", true);
  }
}

} // namespace troupe::config
