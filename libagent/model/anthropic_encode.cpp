#include "libagent/model/anthropic_encode.hpp"

#include "libagent/model/anthropic_messages.hpp"
#include "libagent/model/codec_history.hpp"
#include "libagent/model/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>
#include <utility>

namespace troupe::anthropic {

namespace {

/// The least budget that the API takes.
constexpr unsigned min_thinking_tokens = 1024;

/// A model's version, as in "claude-opus-4-6", "claude-3-7-sonnet-20250219" or
/// "anthropic.claude-sonnet-5-v1".
using model_version = std::pair<unsigned, unsigned>;
/// From here on the API knows adaptive thinking and efforts; from there on it takes neither a budget nor
/// sampling parameters.
constexpr auto adaptive_since = model_version{4, 6};
constexpr auto adaptive_only_since = model_version{4, 7};

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// 0.0 for models whose names tell none.
model_version version_of(std::string_view model) {
  const auto family = model.find("claude");
  if (family == std::string_view::npos)
    return {};
  auto numbers = std::vector<unsigned>{};
  const auto first = model.find_first_of("0123456789", family);
  for (auto at = first; at < model.size() && is_digit(model[at]) && numbers.size() < 2;) {
    const auto end = std::min(model.find_first_not_of("0123456789", at), model.size());
    // What is longer is a date.
    if (end - at > 2)
      break;
    numbers.push_back(static_cast<unsigned>(std::stoul(std::string(model.substr(at, end - at)))));
    at = end < model.size() && (model[end] == '-' || model[end] == '.') ? end + 1 : model.size();
  }
  numbers.resize(2);
  return {numbers[0], numbers[1]};
}

/// How a model is to think in one call, and what follows from that.
struct thinking_plan {
  enum class mode { none, budget, adaptive };
  mode how = mode::none;
  /// For `budget`.
  unsigned budget = 0;
  /// Empty: not told.
  std::string_view effort;
  std::uint64_t max_tokens = 0;
  bool takes_sampling = true;
};

/// Tokens to think with at an effort.
unsigned tokens_for(std::string_view effort) {
  if (effort == "low")
    return 2048;
  if (effort == "medium")
    return 8192;
  return effort == "high" ? 16'384 : 0;
}

/// For models that take a budget.
void plan_effort(thinking_plan& plan, const model_settings& settings, std::string_view effort) {
  auto budget = tokens_for(effort);
  if (settings.max_tokens) {
    budget = std::min(budget, std::max(*settings.max_tokens / 2, min_thinking_tokens));
    if (budget >= *settings.max_tokens)
      budget = 0;
  } else {
    plan.max_tokens += budget;
  }
  plan.budget = budget;
  plan.how = budget > 0 ? thinking_plan::mode::budget : thinking_plan::mode::none;
}

void plan_adaptive(thinking_plan& plan, const model_settings& settings, std::string_view effort) {
  const auto is_minimal = effort == "minimal";
  plan.effort = is_minimal ? "low" : effort;
  plan.how = is_minimal ? thinking_plan::mode::none : thinking_plan::mode::adaptive;
  if (!settings.max_tokens)
    plan.max_tokens += tokens_for(effort);
}

/// For a budget that the agent gives.
void plan_budget(thinking_plan& plan, unsigned tokens, bool takes_budget) {
  const auto budget = std::max(tokens, min_thinking_tokens);
  if (plan.max_tokens <= budget)
    plan.max_tokens += budget;
  plan.budget = budget;
  plan.how = takes_budget ? thinking_plan::mode::budget : thinking_plan::mode::adaptive;
}

/// What a budget grants is all that there is, to think with too.
void keep_within_bound(thinking_plan& plan, const model_settings& settings) {
  if (!settings.token_bound || plan.max_tokens <= *settings.token_bound)
    return;
  plan.max_tokens = *settings.token_bound;
  if (plan.how != thinking_plan::mode::budget || plan.budget < plan.max_tokens)
    return;
  plan.budget = *settings.token_bound / 2;
  if (plan.budget < min_thinking_tokens) {
    plan.budget = 0;
    plan.how = thinking_plan::mode::none;
  }
}

thinking_plan plan_thinking(const model_request& request, const wire_options& options) {
  const auto& settings = request.settings;
  const auto version = version_of(options.model);
  auto plan = thinking_plan{};
  plan.max_tokens = settings.max_tokens.value_or(options.max_tokens);
  const auto is_open = allows_thinking(request);
  if (settings.thinking_tokens && (is_open || version >= adaptive_only_since))
    plan_budget(plan, *settings.thinking_tokens, version < adaptive_only_since);
  else if (settings.reasoning_effort && !settings.thinking_tokens && version >= adaptive_since)
    plan_adaptive(plan, settings, *settings.reasoning_effort);
  else if (settings.reasoning_effort && !settings.thinking_tokens && is_open)
    plan_effort(plan, settings, *settings.reasoning_effort);
  keep_within_bound(plan, settings);
  plan.takes_sampling = plan.how == thinking_plan::mode::none && version < adaptive_only_since;
  return plan;
}

void write_system(std::string& out, const model_request& request) {
  auto text = request.instructions;
  if (request.output) {
    text += text.empty() ? "" : "\n\n";
    text += fmt::format(
        "Your final answer must be a single JSON value that fits this JSON Schema, named {}. Write "
        "the JSON only, without a code fence and without any words around it.\n{}",
        request.output->name, dump_json(request.output->schema));
  }
  if (text.empty())
    return;
  out += ",\"system\":";
  append_json_string(out, text);
}

void write_tools(std::string& out, const tool_list& tools) {
  auto separator = ",\"tools\":[{\"name\":";
  for (const auto& spec : tools) {
    out += separator;
    separator = ",{\"name\":";
    append_json_string(out, spec.name);
    if (!spec.description.empty()) {
      out += ",\"description\":";
      append_json_string(out, spec.description);
    }
    out += ",\"input_schema\":" + dump_json(spec.input.document()) + '}';
  }
  out += ']';
}

/// `free`: whether the model may not be made to call a tool.
void write_tool_choice(std::string& out, const model_request& request, bool free) {
  const auto& settings = request.settings;
  const auto one_at_a_time = settings.parallel_tool_calls == false;
  const auto choice = settings.tool_choice.value_or("");
  if (choice == "none") {
    out += R"(,"tool_choice":{"type":"none"})";
    return;
  }
  if (choice == "required" && !free) {
    out += R"(,"tool_choice":{"type":"any")";
  } else if (choice != "auto" && !free && is_offered(request.tools, choice)) {
    out += R"(,"tool_choice":{"type":"tool","name":)";
    append_json_string(out, choice);
  } else if (choice == "auto" || one_at_a_time) {
    out += R"(,"tool_choice":{"type":"auto")";
  } else {
    return;
  }
  out += one_at_a_time ? ",\"disable_parallel_tool_use\":true}" : "}";
}

/// The API wants tools to be declared as soon as a message speaks of one, be they offered or not.
void write_past_tools(std::string& out, const model_request& request) {
  auto names = std::set<std::string>{};
  const auto history = history_view{request};
  for (auto i = std::size_t{0}; i < history.size(); ++i)
    if (const auto* made = std::get_if<tool_call>(&history[i]))
      names.insert(safe_tool_name(made->name));
  auto past = tool_list{};
  for (const auto& name : names)
    past.push_back({name, "No longer available.", json_schema{}});
  if (past.empty())
    return;
  write_tools(out, past);
  out += R"(,"tool_choice":{"type":"none"})";
}

} // namespace

std::string encode_request(const model_request& request, const wire_options& options, bool streamed) {
  const auto& settings = request.settings;
  const auto plan = plan_thinking(request, options);

  auto out = std::string{"{\"model\":"};
  append_json_string(out, options.model);
  out += fmt::format(",\"max_tokens\":{}", plan.max_tokens);
  write_system(out, request);
  out += ",\"messages\":";
  append_messages(out, request, options.image_input, plan.how != thinking_plan::mode::none);
  if (request.tools && !request.tools->empty()) {
    write_tools(out, *request.tools);
    write_tool_choice(out, request, plan.how == thinking_plan::mode::budget);
  } else {
    write_past_tools(out, request);
  }
  if (plan.how == thinking_plan::mode::budget)
    out += fmt::format(R"(,"thinking":{{"type":"enabled","budget_tokens":{}}})", plan.budget);
  else if (plan.how == thinking_plan::mode::adaptive)
    out += R"(,"thinking":{"type":"adaptive"})";
  if (!plan.effort.empty()) {
    out += R"(,"output_config":{"effort":)";
    append_json_string(out, plan.effort);
    out += '}';
  }
  if (settings.temperature && plan.takes_sampling)
    out += ",\"temperature\":" + dump_json(*settings.temperature);
  if (settings.top_p && plan.takes_sampling)
    out += ",\"top_p\":" + dump_json(*settings.top_p);
  out += streamed ? ",\"stream\":true}" : "}";
  return out;
}

} // namespace troupe::anthropic
