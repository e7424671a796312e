#include "libagent/model/scripted.hpp"

#include "libagent/model/history.hpp"
#include "libagent/model/scripted_arguments.hpp"
#include "libagent/model/scripted_match.hpp"
#include "libagent/model/scripted_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace troupe::scripted {

namespace {

/// How much of a user's message an error quotes, in bytes.
constexpr std::size_t quoted_bytes = 120;
/// The rule of thumb by which tokens are estimated.
constexpr std::size_t bytes_per_token = 4;

const tool_spec* find_tool(const model_request& request, std::string_view name) {
  if (!request.tools)
    return nullptr;
  const auto at = std::find_if(request.tools->begin(), request.tools->end(),
                               [&](const tool_spec& spec) { return spec.name == name; });
  return at == request.tools->end() ? nullptr : &*at;
}

/// The tool by which the agent that asks hands off to the target, preferably one that it is offered.
std::string find_handoff(const script& rules, const model_request& request, const std::string& target) {
  std::string first;
  for (const auto& each : rules.handoffs) {
    if (each.from != request.agent || each.to != target)
      continue;
    if (find_tool(request, each.tool))
      return each.tool;
    if (first.empty())
      first = each.tool;
  }
  return first.empty() ? handoff_tool_name(target) : first;
}

/// What a rule calls.
struct chosen_tools {
  std::vector<std::string> names;
  /// Empty if it does not hand off.
  std::string handoff;
};

chosen_tools tools_of(const script& rules, const rule& chosen, const model_request& request) {
  auto tools = chosen_tools{};
  for (const auto& wanted : chosen.calls)
    tools.names.push_back(wanted.tool);
  if (chosen.handoff)
    tools.names.push_back(tools.handoff = find_handoff(rules, request, *chosen.handoff));
  return tools;
}

std::size_t text_bytes(const item& entry) {
  struct counter {
    std::size_t operator()(const user_message& said) const { return said.text.size(); }
    std::size_t operator()(const assistant_message& said) const { return said.text.size(); }
    std::size_t operator()(const tool_call& made) const { return made.name.size() + made.arguments.size(); }
    std::size_t operator()(const tool_output& got) const {
      auto bytes = std::size_t{0};
      for (const auto& part : got.parts)
        if (const auto* text = std::get_if<text_content>(&part))
          bytes += text->text.size();
      return bytes;
    }
    std::size_t operator()(const reasoning& thought) const { return thought.text.size(); }
  };
  return std::visit(counter{}, entry);
}

std::uint64_t tokens(std::size_t bytes) {
  return (bytes + bytes_per_token - 1) / bytes_per_token;
}

usage estimate(const model_request& request, const item_list& output) {
  const auto history = history_view{request};
  auto read = request.instructions.size();
  for (auto i = std::size_t{0}; i < history.size(); ++i)
    read += text_bytes(history[i]);
  auto written = std::size_t{0};
  for (const auto& entry : output)
    written += text_bytes(entry);
  return {1, tokens(read), tokens(written), 0, 0};
}

/// Names calls. Where they stand is not enough: what a handoff or a session leaves out of the history makes
/// it shorter, and then a later turn would use an earlier one's ids. So ids also hold a digest of all that
/// the answer rests on.
class call_namer {
public:
  explicit call_namer(const model_request& request) {
    const auto history = history_view{request};
    items_ = history.size();
    add(request.agent);
    for (auto i = std::size_t{0}; i < items_; ++i) {
      add(std::to_string(history[i].index()) + ' ' + std::to_string(text_bytes(history[i])));
      if (const auto* before = std::get_if<tool_call>(&history[i]))
        add(before->call_id);
    }
  }

  std::string next(std::string_view tool, std::string_view arguments) {
    add(tool);
    add(arguments);
    return fmt::format("call_{}_{}_{:08x}", items_, made_++, digest_);
  }

private:
  /// FNV-1a, with an end mark so that neighbours cannot trade characters.
  void add(std::string_view text) {
    for (const auto c : text)
      mix(static_cast<unsigned char>(c));
    mix(0xFF);
  }
  void mix(unsigned char byte) { digest_ = (digest_ ^ byte) * 16777619u; }

  std::size_t items_ = 0;
  unsigned made_ = 0;
  std::uint32_t digest_ = 2166136261u;
};

/// Ends the answer where an endpoint would end it: its text there, and the calls that would follow.
void cut(model_response& response, std::size_t most_tokens) {
  auto text = std::string{};
  if (!response.output.empty())
    if (auto* said = std::get_if<assistant_message>(&response.output.front()))
      text = std::move(said->text);
  auto end = std::min(text.size(), most_tokens * bytes_per_token);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u)
    --end;
  text.resize(end);
  response.output = {assistant_message{{}, std::move(text)}};
  response.finish_reason = "length";
  response.used.output_tokens = most_tokens;
}

result<model_response> carry_out(const rule& chosen, const std::string& handoff, const bindings& values,
                                 const model_request& request) {
  auto response = model_response{};
  auto namer = call_namer{request};
  const auto add_call = [&](const std::string& tool, std::string arguments) {
    auto id = namer.next(tool, arguments);
    response.output.emplace_back(tool_call{std::move(id), tool, std::move(arguments), request.agent});
  };
  if (chosen.say) {
    auto text = render(*chosen.say, values);
    if (!text)
      return text.error();
    response.output.emplace_back(assistant_message{request.agent, std::move(*text)});
  }
  for (const auto& wanted : chosen.calls) {
    auto arguments = render_arguments(wanted.arguments, find_tool(request, wanted.tool)->input, values);
    if (!arguments)
      return arguments.error();
    add_call(wanted.tool, std::move(*arguments));
  }
  if (chosen.handoff)
    add_call(handoff, "{}");
  response.finish_reason = !chosen.calls.empty() || chosen.handoff ? "tool_calls" : "stop";
  response.used = estimate(request, response.output);
  if (const auto most = request.settings.token_bound; most && response.used.output_tokens > *most)
    cut(response, *most);
  return response;
}

std::string quote(std::string_view text) {
  if (text.size() <= quoted_bytes)
    return fmt::format("\"{}\"", to_utf8(text));
  auto end = quoted_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u)
    --end;
  return fmt::format("\"{}...\"", to_utf8(text.substr(0, end)));
}

std::string offered_tools(const model_request& request) {
  auto names = std::string{};
  for (const auto& spec : request.tools ? *request.tools : tool_list{})
    names += (names.empty() ? "" : ", ") + spec.name;
  return names.empty() ? "none" : names;
}

struct missing_tool {
  std::size_t rule_number;
  std::string tool;
};

error no_rule(const situation& now, const std::optional<missing_tool>& missing,
              const model_request& request) {
  auto text = fmt::format("no rule of the scripted model applies to agent {}", quote(now.agent));
  if (now.user)
    text += fmt::format(" and the user's message {}", quote(now.user->text));
  if (!now.outputs.empty())
    text += fmt::format(" after the output of {}", quote(now.outputs.back().tool));
  if (missing)
    text += fmt::format("; rule {} would call {}, which is not offered to the agent (offered: {})",
                        missing->rule_number, quote(missing->tool), offered_tools(request));
  return fail(errc::model_failed, std::move(text));
}

} // namespace

std::vector<named_handoff> handoffs_of(const std::vector<agent_definition>& agents) {
  std::vector<named_handoff> all;
  for (const auto& agent : agents)
    for (const auto& each : agent.handoffs)
      all.push_back(
          {agent.name, each.agent,
           each.tool_name.empty() ? handoff_tool_name(each.agent) : safe_tool_name(each.tool_name)});
  return all;
}

result<model_response> answer(const script& rules, const model_request& request) {
  const auto now = look_at(request, rules.handoffs);
  auto missing = std::optional<missing_tool>{};
  for (auto i = std::size_t{0}; i < rules.rules.size(); ++i) {
    const auto& candidate = rules.rules[i];
    const auto values = match(candidate.when, now);
    if (!values)
      continue;
    const auto wanted = tools_of(rules, candidate, request);
    const auto gap = std::find_if(wanted.names.begin(), wanted.names.end(),
                                  [&](const std::string& name) { return !find_tool(request, name); });
    if (gap == wanted.names.end())
      return carry_out(candidate, wanted.handoff, *values, request);
    if (!missing)
      missing = missing_tool{i + 1, *gap};
  }
  return no_rule(now, missing, request);
}

} // namespace troupe::scripted
