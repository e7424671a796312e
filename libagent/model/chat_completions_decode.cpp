#include "libagent/model/chat_completions.hpp"

#include <fmt/format.h>

#include <set>

namespace troupe::chat_completions {

namespace {

error bad_answer(std::string_view why) {
  return fail(errc::model_failed, fmt::format("the model's answer {}", why));
}

/// `object[key]` if it is there and not null.
const json* find_value(const json& object, std::string_view key) {
  const auto* value = object.is_object() ? find(object, key) : nullptr;
  return value && !value->is_null() ? value : nullptr;
}

std::uint64_t count(const json* object, std::string_view key) {
  const auto* value = object ? find_value(*object, key) : nullptr;
  return value && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

usage read_usage(const json& answer) {
  const auto* given = find_value(answer, "usage");
  const auto* in = given ? find_value(*given, "prompt_tokens_details") : nullptr;
  const auto* out = given ? find_value(*given, "completion_tokens_details") : nullptr;
  return {1, count(given, "prompt_tokens"), count(given, "completion_tokens"), count(in, "cached_tokens"),
          count(out, "reasoning_tokens")};
}

/// The text of one element of a `content` array; parts that are no text count as empty.
std::string part_text(const json& part) {
  if (const auto* text = part.get_ptr<const json::string_t*>())
    return *text;
  for (const auto* key : {"text", "refusal"})
    if (const auto* text = part.is_object() ? find_string(part, key) : nullptr)
      return *text;
  return {};
}

result<std::string> read_text(const json& message) {
  auto text = std::string{};
  if (const auto* given = find_value(message, "content")) {
    if (!given->is_string() && !given->is_array())
      return bad_answer("has a content that is neither a text nor a list of parts");
    if (given->is_string())
      text = given->get<std::string>();
    else
      for (const auto& part : *given)
        text += part_text(part);
  }
  if (const auto* refusal = find_string(message, "refusal"); refusal && text.empty())
    text = *refusal;
  return text;
}

std::string read_arguments(const json& function) {
  const auto* given = find_value(function, "arguments");
  if (!given)
    return "{}";
  const auto* text = given->get_ptr<const json::string_t*>();
  if (!text)
    return dump_json(*given);
  // Some endpoints write nothing at all where a tool takes no arguments.
  return text->empty() ? "{}" : *text;
}

/// Gives calls ids that no other call of the answer has.
class id_giver {
public:
  std::string next(const std::string* given) {
    const auto wanted = given && !given->empty() ? *given : fmt::format("call_{}", count_);
    ++count_;
    auto id = wanted;
    for (auto suffix = 2u; !taken_.insert(id).second; ++suffix)
      id = fmt::format("{}_{}", wanted, suffix);
    return id;
  }

private:
  std::size_t count_ = 0;
  std::set<std::string> taken_;
};

result<tool_call> read_call(const json* function, const std::string* id, id_giver& ids) {
  if (!function || !function->is_object())
    return bad_answer("has a tool call without a function");
  const auto* name = find_string(*function, "name");
  if (!name || name->empty())
    return bad_answer("has a tool call without the function's name");
  return tool_call{ids.next(id), *name, read_arguments(*function), {}};
}

result<std::vector<tool_call>> read_calls(const json& message) {
  auto calls = std::vector<tool_call>{};
  auto ids = id_giver{};
  if (const auto* given = find_value(message, "tool_calls")) {
    if (!given->is_array())
      return bad_answer("has tool_calls that are not a list");
    for (const auto& entry : *given) {
      if (!entry.is_object())
        return bad_answer("has a tool call that is not an object");
      auto made = read_call(find_value(entry, "function"), find_string(entry, "id"), ids);
      if (!made)
        return made.error();
      calls.push_back(std::move(*made));
    }
  }
  const auto* legacy = find_value(message, "function_call");
  if (!legacy || !calls.empty())
    return calls;
  auto made = read_call(legacy, nullptr, ids);
  if (!made)
    return made.error();
  calls.push_back(std::move(*made));
  return calls;
}

result<const json*> find_choice(const json& answer) {
  if (!answer.is_object())
    return bad_answer("is not a JSON object");
  if (const auto* reason = find_value(answer, "error"))
    return bad_answer("is an error: " + error_message(dump_json({{"error", *reason}})));
  const auto* choices = find_value(answer, "choices");
  if (!choices || !choices->is_array())
    return bad_answer("has no list of choices");
  if (choices->empty() || !choices->front().is_object())
    return bad_answer("has no choice to read");
  const auto& choice = choices->front();
  if (const auto* reason = find_value(choice, "error"))
    return bad_answer("is an error: " + error_message(dump_json({{"error", *reason}})));
  return &choice;
}

/// Why an answer without text and calls is no answer; nothing if the model just chose to be silent.
std::optional<error> explain_silence(std::string_view finish_reason) {
  if (finish_reason == "length")
    return bad_answer("was cut off before any text came (finish_reason length); raise max_tokens");
  if (finish_reason == "content_filter")
    return bad_answer("was withheld by the endpoint's content filter");
  return std::nullopt;
}

} // namespace

result<model_response> decode(std::string_view body) {
  const auto answer = parse_json(body);
  if (!answer)
    return bad_answer("cannot be read: " + answer.error().detail);
  const auto choice = find_choice(*answer);
  if (!choice)
    return choice.error();
  const auto* message = find_value(**choice, "message");
  if (!message || !message->is_object())
    return bad_answer("has a choice without a message");
  auto text = read_text(*message);
  if (!text)
    return text.error();
  auto calls = read_calls(*message);
  if (!calls)
    return calls.error();

  auto response = model_response{{}, read_usage(*answer), {}};
  if (const auto* reason = find_string(**choice, "finish_reason"))
    response.finish_reason = *reason;
  if (text->empty() && calls->empty())
    if (auto why = explain_silence(response.finish_reason))
      return std::move(*why);
  if (!text->empty() || calls->empty())
    response.output.emplace_back(assistant_message{{}, std::move(*text)});
  for (auto& made : *calls)
    response.output.emplace_back(std::move(made));
  return response;
}

} // namespace troupe::chat_completions
