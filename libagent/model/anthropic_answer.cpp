#include "libagent/model/anthropic_answer.hpp"

#include "libagent/model/codec_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace troupe::anthropic {

namespace {

/// `input_tokens` is only what the cache had no part in.
usage read_usage(const json& message) {
  const auto* given = find_value(message, "usage");
  const auto cached = read_count(given, "cache_read_input_tokens");
  const auto input =
      read_count(given, "input_tokens") + cached + read_count(given, "cache_creation_input_tokens");
  return {1, input, read_count(given, "output_tokens"), cached, 0};
}

/// Collects the items of an answer.
class item_reader {
public:
  /// Nothing, or what is wrong with the block.
  std::optional<error> take(const json& block) {
    const auto* type = find_string(block, "type");
    if (!type)
      return bad_answer("has a content block without a type");
    if (*type == "text")
      return take_text(block);
    if (*type == "tool_use")
      return take_call(block);
    if (*type == "thinking" || *type == "redacted_thinking")
      take_thought(block);
    return std::nullopt;
  }

  item_list finish() && { return std::move(items_); }

private:
  std::optional<error> take_text(const json& block) {
    const auto* text = find_string(block, "text");
    if (!text)
      return bad_answer("has a text block without its text");
    if (text->empty())
      return std::nullopt;
    // Texts with citations come in pieces.
    auto* before = items_.empty() ? nullptr : std::get_if<assistant_message>(&items_.back());
    if (before)
      before->text += *text;
    else
      items_.emplace_back(assistant_message{{}, *text});
    return std::nullopt;
  }

  std::optional<error> take_call(const json& block) {
    const auto* name = find_text(block, "name");
    if (!name)
      return bad_answer("has a tool call without the tool's name");
    const auto* id = find_string(block, "id");
    items_.emplace_back(tool_call{
        id ? *id : std::string(), *name, whole_arguments(read_arguments(find_value(block, "input"))), {}});
    return std::nullopt;
  }

  void take_thought(const json& block) {
    const auto* text = find_string(block, "thinking");
    items_.emplace_back(reasoning{{}, text ? *text : "", "anthropic", dump_json(block)});
  }

  item_list items_;
};

/// Why an answer without text and calls is no answer; nothing if the model just chose to be silent.
std::optional<error> explain_nothing(std::string_view stop_reason) {
  if (stop_reason == "max_tokens") {
    auto reason = bad_answer("was cut off before any text came (stop_reason max_tokens); raise max_tokens");
    reason.facts = std::make_shared<const json>(json{{"finish_reason", stop_reason}});
    return reason;
  }
  if (stop_reason == "model_context_window_exceeded")
    return bad_answer("was cut off before any text came: the conversation fills the model's context window");
  if (stop_reason == "refusal")
    return bad_answer("was withheld by the endpoint (stop_reason refusal)");
  return std::nullopt;
}

} // namespace

result<model_response> read_message(const json& message) {
  const auto* content = find(message, "content");
  if (!content || !content->is_array())
    return bad_answer("has no list of content blocks");
  auto reader = item_reader{};
  for (const auto& block : *content)
    if (auto wrong = reader.take(block))
      return std::move(*wrong);

  auto response = model_response{std::move(reader).finish(), read_usage(message), {}, {}};
  if (const auto* reason = find_string(message, "stop_reason"))
    response.finish_reason = *reason;
  const auto is_thought = [](const item& entry) { return std::holds_alternative<reasoning>(entry); };
  if (!std::all_of(response.output.begin(), response.output.end(), is_thought))
    return response;
  if (auto why = explain_nothing(response.finish_reason))
    return std::move(*why);
  response.output.emplace_back(assistant_message{});
  return response;
}

result<model_response> read_body(std::string_view body) {
  const auto message = parse_json(body);
  if (!message)
    return bad_answer("cannot be read: " + message.error().detail);
  if (!message->is_object())
    return bad_answer("is not a JSON object");
  if (const auto* reason = find_value(*message, "error"))
    return reported_error(*reason);
  return read_message(*message);
}

} // namespace troupe::anthropic
