#include "libagent/run/outside.hpp"
#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::run {

namespace {

/// The fresh items that the agent sees, with the notes in their places.
item_list seen_fresh(const state& run) {
  const auto from = run.is_filtered ? run.seen_from : 0;
  if (run.notes.empty())
    return {run.fresh.begin() + static_cast<std::ptrdiff_t>(from), run.fresh.end()};
  item_list seen;
  auto next = run.notes.begin();
  for (auto i = from; i <= run.fresh.size(); ++i) {
    for (; next != run.notes.end() && next->before <= i; ++next)
      seen.push_back(next->what);
    if (i < run.fresh.size())
      seen.push_back(run.fresh[i]);
  }
  return seen;
}

bool is_tool_item(const item& entry) {
  return std::holds_alternative<tool_call>(entry) || std::holds_alternative<tool_output>(entry) ||
         std::holds_alternative<reasoning>(entry);
}

/// One line a message, as one text.
item_list nested(const item_list& items) {
  std::string told = "The conversation so far:\n";
  for (const auto& entry : items) {
    if (const auto* user = std::get_if<user_message>(&entry))
      told += fmt::format("\nuser: {}", user->text);
    else if (const auto* said = std::get_if<assistant_message>(&entry))
      told += fmt::format("\n{}: {}", said->agent.empty() ? "assistant" : said->agent, said->text);
    else if (const auto* call = std::get_if<tool_call>(&entry))
      told += fmt::format("\n{} calls {} {}", call->agent.empty() ? "assistant" : call->agent, call->name,
                          call->arguments);
    else if (const auto* output = std::get_if<tool_output>(&entry))
      told += fmt::format("\noutput: {}", plain_text(output->parts));
  }
  return {user_message{std::move(told)}};
}

/// Takes out thoughts that nothing follows of what they led to: endpoints refuse them.
void drop_loose_thoughts(item_list& items) {
  bool leads_somewhere = false;
  item_list kept;
  for (auto entry = items.rbegin(); entry != items.rend(); ++entry) {
    const bool is_thought = std::holds_alternative<reasoning>(*entry);
    if (!is_thought)
      leads_somewhere =
          std::holds_alternative<tool_call>(*entry) || std::holds_alternative<assistant_message>(*entry);
    if (!is_thought || leads_somewhere)
      kept.push_back(std::move(*entry));
  }
  std::reverse(kept.begin(), kept.end());
  items = std::move(kept);
}

} // namespace

item_list well_formed(item_list items) {
  std::set<std::string> called;
  std::set<std::string> answered;
  for (const auto& entry : items) {
    if (const auto* call = std::get_if<tool_call>(&entry))
      called.insert(call->call_id);
    else if (const auto* output = std::get_if<tool_output>(&entry);
             output != nullptr && called.contains(output->call_id))
      answered.insert(output->call_id);
  }
  std::erase_if(items, [&](const item& entry) {
    if (const auto* call = std::get_if<tool_call>(&entry))
      return !answered.contains(call->call_id);
    const auto* output = std::get_if<tool_output>(&entry);
    return output != nullptr && !answered.contains(output->call_id);
  });
  drop_loose_thoughts(items);
  return items;
}

namespace {

/// Keeps the last items, and what the user said last: without it there is nothing to answer.
void keep_last(item_list& items, std::size_t count) {
  const auto first = items.end() - static_cast<std::ptrdiff_t>(count);
  const auto is_user = [](const item& entry) { return std::holds_alternative<user_message>(entry); };
  const auto said = std::find_if(std::make_reverse_iterator(first), items.rend(), is_user);
  std::optional<item> kept;
  if (said != items.rend() && std::none_of(first, items.end(), is_user))
    kept = std::move(*said);
  items.erase(items.begin(), first);
  if (kept)
    items.insert(items.begin(), std::move(*kept));
}

result<item_list> filtered(item_list items, const input_filter& filter) {
  switch (filter.what) {
  case input_filter::kind::keep_all:
    break;
  case input_filter::kind::drop_tools:
    std::erase_if(items, is_tool_item);
    break;
  case input_filter::kind::last:
    if (items.size() > filter.count)
      keep_last(items, filter.count);
    return well_formed(std::move(items));
  case input_filter::kind::code: {
    if (!filter.code)
      break;
    auto left = call_outside(filter.code, items);
    return left ? well_formed(std::move(*left)) : left;
  }
  }
  return items;
}

} // namespace

result<std::shared_ptr<model_request>> make_request(const state& run) {
  auto request = std::make_shared<model_request>();
  const auto& agent = *run.agent;
  request->agent = agent.name;
  if (agent.instructions_source) {
    auto text = call_outside(agent.instructions_source, scope_of(run));
    if (!text)
      return cannot_go_on(fmt::format("the instructions of '{}' cannot be made", agent.name), text.error());
    request->instructions = std::move(*text);
  } else {
    request->instructions = agent.instructions;
  }
  request->past = run.is_filtered ? run.seen_past : run.past;
  request->fresh = seen_fresh(run);
  request->tools = run.tools->offered();
  request->settings = agent.settings;
  auto& choice = request->settings.tool_choice;
  if (agent.reset_tool_choice && run.tool_users.contains(agent.name) && choice != "none")
    choice.reset();
  if (agent.output)
    request->output = agent.output->format;
  return request;
}

item_list seen_items(const state& run) {
  const auto& past = run.is_filtered ? run.seen_past : run.past;
  auto seen = past ? *past : item_list{};
  const auto fresh = seen_fresh(run);
  seen.insert(seen.end(), fresh.begin(), fresh.end());
  return seen;
}

result<void> filter_input(state& run, const handoff_definition& rules) {
  if (rules.filter.what == input_filter::kind::keep_all && !rules.nest_history)
    return {};
  item_list seen;
  const auto& past = run.is_filtered ? run.seen_past : run.past;
  if (past)
    seen = *past;
  const auto from = run.is_filtered ? run.seen_from : 0;
  seen.insert(seen.end(), run.fresh.begin() + static_cast<std::ptrdiff_t>(from), run.fresh.end());
  if (rules.nest_history)
    seen = nested(seen);
  auto left = filtered(std::move(seen), rules.filter);
  if (!left)
    return cannot_go_on(fmt::format("what '{}' may see of the conversation cannot be told", rules.agent),
                        left.error());
  run.is_filtered = true;
  run.seen_past = std::make_shared<const item_list>(std::move(*left));
  run.seen_from = run.fresh.size();
  return {};
}

} // namespace troupe::run
