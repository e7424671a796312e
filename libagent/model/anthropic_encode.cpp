#include "libagent/model/anthropic_encode.hpp"

#include "libagent/model/anthropic_messages.hpp"
#include "libagent/model/codec_history.hpp"
#include "libagent/model/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace troupe::anthropic {

namespace {

/// The least budget that the API takes.
constexpr unsigned min_thinking_tokens = 1024;

/// Tokens to think with, if the model is to think in this call.
std::optional<unsigned> thinking_budget(const model_request& request) {
  const auto wanted = request.settings.thinking_tokens;
  if (!wanted || !allows_thinking(request))
    return std::nullopt;
  return std::max(*wanted, min_thinking_tokens);
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

void write_tool_choice(std::string& out, const model_request& request, bool thinking) {
  const auto& settings = request.settings;
  const auto one_at_a_time = settings.parallel_tool_calls == false;
  const auto choice = settings.tool_choice.value_or("");
  if (choice == "none") {
    out += R"(,"tool_choice":{"type":"none"})";
    return;
  }
  if (choice == "required" && !thinking) {
    out += R"(,"tool_choice":{"type":"any")";
  } else if (choice != "auto" && !thinking && is_offered(request.tools, choice)) {
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
  const auto budget = thinking_budget(request);
  auto max_tokens = std::uint64_t{settings.max_tokens.value_or(options.max_tokens)};
  if (budget && max_tokens <= *budget)
    max_tokens += *budget;

  auto out = std::string{"{\"model\":"};
  append_json_string(out, options.model);
  out += fmt::format(",\"max_tokens\":{}", max_tokens);
  write_system(out, request);
  out += ",\"messages\":";
  append_messages(out, request, options.image_input, budget.has_value());
  if (request.tools && !request.tools->empty()) {
    write_tools(out, *request.tools);
    write_tool_choice(out, request, budget.has_value());
  } else {
    write_past_tools(out, request);
  }
  if (budget)
    out += fmt::format(R"(,"thinking":{{"type":"enabled","budget_tokens":{}}})", *budget);
  if (settings.temperature && !budget)
    out += ",\"temperature\":" + dump_json(*settings.temperature);
  if (settings.top_p && !budget)
    out += ",\"top_p\":" + dump_json(*settings.top_p);
  out += streamed ? ",\"stream\":true}" : "}";
  return out;
}

} // namespace troupe::anthropic
