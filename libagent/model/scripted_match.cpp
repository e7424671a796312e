#include "libagent/model/scripted_match.hpp"

#include "libagent/model/history.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace troupe::scripted {

namespace {

/// The prefix that `handoff_tool_name` gives; spares the outputs of other tools a look at their JSON.
constexpr std::string_view handoff_prefix = "transfer_to_";

bool answers_handoff(std::string_view tool, const tool_output& output,
                     const std::vector<named_handoff>& handoffs) {
  const auto has_tool = [tool](const named_handoff& each) { return each.tool == tool; };
  const auto is_named = std::any_of(handoffs.begin(), handoffs.end(), has_tool);
  if (output.is_error || (!is_named && !tool.starts_with(handoff_prefix)))
    return false;
  const auto parsed = parse_json(plain_text(output.parts));
  const auto* taker = parsed ? find_string(*parsed, "assistant") : nullptr;
  if (!taker)
    return false;
  return handoff_tool_name(*taker) == tool ||
         std::any_of(handoffs.begin(), handoffs.end(),
                     [&](const named_handoff& each) { return has_tool(each) && each.to == *taker; });
}

/// The name of the tool whose call has this id; the latest such call before `end`.
std::string_view called_tool(const history_view& history, std::size_t end, std::string_view call_id) {
  for (auto i = end; i-- > 0;) {
    const auto* made = std::get_if<tool_call>(&history[i]);
    if (made && made->call_id == call_id)
      return made->name;
  }
  return {};
}

re2::StringPiece piece_of(std::string_view text) {
  return {text.data(), text.size()};
}

/// Searches the text and, if it matches, keeps the groups.
bool search(const re2::RE2& pattern, std::string_view text, bindings& found) {
  auto groups =
      std::vector<re2::StringPiece>(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1);
  const auto matched = pattern.Match(piece_of(text), 0, text.size(), re2::RE2::UNANCHORED, groups.data(),
                                     static_cast<int>(groups.size()));
  if (!matched)
    return false;
  found.group_names = pattern.NamedCapturingGroups();
  for (const auto& group : groups)
    found.groups.emplace_back(group.data() ? group.as_string() : std::string{});
  return true;
}

bool matches_tool(const std::optional<std::string>& wanted, const last_output& last) {
  if (!wanted || *wanted == "*")
    return !last.is_handoff;
  return last.tool == *wanted;
}

/// The output as JSON: all its text if that is JSON, else the first of its texts that is.
std::optional<json> json_of(const tool_output& output, std::string_view text) {
  if (auto whole = parse_json(text))
    return std::move(*whole);
  for (const auto& part : output.parts) {
    const auto* piece = std::get_if<text_content>(&part);
    if (!piece || piece->text.size() == text.size())
      continue;
    if (auto parsed = parse_json(piece->text))
      return std::move(*parsed);
  }
  return std::nullopt;
}

bool match_output(const condition& when, const situation& now, bindings& found) {
  for (const auto& last : now.outputs) {
    if (!matches_tool(when.tool, last))
      continue;
    auto text = plain_text(last.output->parts);
    if (when.output && !re2::RE2::PartialMatch(piece_of(text), *when.output))
      continue;
    found.output_json = json_of(*last.output, text);
    found.output = std::move(text);
    return true;
  }
  return false;
}

} // namespace

situation look_at(const model_request& request, const std::vector<named_handoff>& handoffs) {
  const auto history = history_view{request};
  auto now = situation{request.agent, nullptr, {}, false};
  auto end = history.size();
  for (; end > 0; --end) {
    const auto* output = std::get_if<tool_output>(&history[end - 1]);
    if (!output)
      break;
    const auto tool = called_tool(history, end - 1, output->call_id);
    now.outputs.push_back({tool, output, answers_handoff(tool, *output, handoffs)});
  }
  std::reverse(now.outputs.begin(), now.outputs.end());
  now.handed_over = std::any_of(now.outputs.begin(), now.outputs.end(),
                                [](const last_output& last) { return last.is_handoff; });
  for (auto i = end; i-- > 0 && !now.user;)
    now.user = std::get_if<user_message>(&history[i]);
  return now;
}

std::optional<bindings> match(const condition& when, const situation& now) {
  auto found = bindings{};
  found.agent = now.agent;
  if (now.user)
    found.user = now.user->text;
  if (when.agent && *when.agent != now.agent)
    return std::nullopt;
  const auto about_output = when.tool || when.output;
  if (!about_output && !now.outputs.empty() && !now.handed_over)
    return std::nullopt;
  if (when.user && (!now.user || !search(*when.user, now.user->text, found)))
    return std::nullopt;
  if (about_output && !match_output(when, now, found))
    return std::nullopt;
  return found;
}

} // namespace troupe::scripted
