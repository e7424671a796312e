#include "libagent/model/chat_completions_answer.hpp"

namespace troupe::chat_completions {

namespace {

usage read_usage(const json& given) {
  const auto* in = find_value(given, "prompt_tokens_details");
  const auto* out = find_value(given, "completion_tokens_details");
  return {1, read_count(&given, "prompt_tokens"), read_count(&given, "completion_tokens"),
          read_count(in, "cached_tokens"), read_count(out, "reasoning_tokens")};
}

} // namespace

result<void> answer_builder::add_texts(const json& message, model_deltas* out) {
  if (!message.is_object())
    return bad_answer("has a choice without a message");
  for (const std::string_view field : {"reasoning_content", "reasoning"}) {
    const auto* thought = find_text(message, field);
    if (!thought || (!thoughts_field_.empty() && field != thoughts_field_))
      continue;
    // Endpoints on their way from one field to the other give the same in both.
    thoughts_field_ = field;
    thoughts_ += *thought;
    if (out)
      out->emplace_back(reasoning_delta{*thought});
  }
  if (const auto* given = find_value(message, "content")) {
    auto text = read_content(*given);
    if (!text)
      return text.error();
    text_ += *text;
    if (out && !text->empty())
      out->emplace_back(text_delta{std::move(*text)});
  }
  if (const auto* refusal = find_text(message, "refusal")) {
    refusal_ += *refusal;
    if (out && text_.empty())
      out->emplace_back(text_delta{*refusal});
  }
  return {};
}

result<void> answer_builder::add_message(const json& message) {
  if (auto texts = add_texts(message, nullptr); !texts)
    return texts;
  if (const auto* given = find_value(message, "tool_calls")) {
    if (!given->is_array())
      return bad_answer("has tool_calls that are not a list");
    for (const auto& entry : *given)
      if (auto added = calls_.add_whole(entry); !added)
        return added;
  }
  const auto* legacy = find_value(message, "function_call");
  return legacy && calls_.empty() ? calls_.add_whole({{"function", *legacy}}) : result<void>{};
}

result<void> answer_builder::add_delta(const json& delta, model_deltas& out) {
  if (auto texts = add_texts(delta, &out); !texts)
    return texts;
  if (const auto* given = find_value(delta, "tool_calls")) {
    if (!given->is_array())
      return bad_answer("has tool_calls that are not a list");
    for (const auto& entry : *given)
      if (auto added = calls_.add_delta(entry, out); !added)
        return added;
  }
  const auto* legacy = find_value(delta, "function_call");
  legacy_ = legacy_ || (legacy && calls_.empty());
  return legacy && legacy_ ? calls_.add_delta({{"function", *legacy}}, out) : result<void>{};
}

void answer_builder::add_usage(const json& answer) {
  if (const auto* given = find_value(answer, "usage"))
    used_ = read_usage(*given);
}

void answer_builder::add_finish_reason(const json& choice) {
  if (const auto* reason = find_text(choice, "finish_reason"))
    finish_reason_ = *reason;
}

result<model_response> answer_builder::finish() && {
  auto response = model_response{};
  response.used = used_;
  response.finish_reason = std::move(finish_reason_);
  auto& text = text_.empty() ? refusal_ : text_;
  if (text.empty() && calls_.empty())
    if (auto why = explain_silence(response.finish_reason))
      return std::move(*why);
  if (!thoughts_.empty()) {
    auto raw = dump_json({{thoughts_field_, thoughts_}});
    response.output.emplace_back(reasoning{{}, std::move(thoughts_), "chat_completions", std::move(raw)});
  }
  if (!text.empty() || calls_.empty())
    response.output.emplace_back(assistant_message{{}, std::move(text)});
  if (auto taken = std::move(calls_).take(response.output); !taken)
    return taken.error();
  return response;
}

} // namespace troupe::chat_completions
