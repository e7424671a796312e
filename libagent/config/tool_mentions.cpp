#include "libagent/config/tool_mentions.hpp"

#include "libagent/config/asked_paths.hpp"

namespace troupe::config {

namespace {

tool_mention note(const field& from, place at) {
  auto made = tool_mention{};
  made.what = from.what;
  made.line = at.line;
  made.column = at.column;
  return made;
}

void mention(const field& from, const node& name) {
  if (name.type != node::kind::text || name.broken)
    return;
  auto made = note(from, name.at);
  made.tool = name.text;
  made.literal = !name.substituted;
  from.ctx.tool_mentions.push_back(std::move(made));
}

} // namespace

void mention_tool(const field& name) {
  mention(name, name.value);
}

void mention_tools(const field& list) {
  for (const auto& each : list.value.items)
    mention(list, *each);
}

void mention_arguments(const field& expression) {
  if (expression.value.substituted)
    return;
  auto made = note(expression, expression.value.at);
  made.arguments = members_asked_of("arguments", expression.value.text);
  if (!made.arguments.empty())
    expression.ctx.tool_mentions.push_back(std::move(made));
}

void mentions_scope::set_owner(tool_mention::owner whose, const std::string& name) {
  for (auto i = first_; i < ctx_.tool_mentions.size(); ++i) {
    ctx_.tool_mentions[i].whose = whose;
    ctx_.tool_mentions[i].owner_name = name;
  }
}

void mentions_scope::set_tool(const std::string& name) {
  for (auto i = first_; i < ctx_.tool_mentions.size(); ++i)
    if (auto& each = ctx_.tool_mentions[i]; !each.arguments.empty())
      each.tool = name == "*" ? "" : name;
}

void mentions_scope::forget() {
  ctx_.tool_mentions.resize(first_);
}

} // namespace troupe::config
