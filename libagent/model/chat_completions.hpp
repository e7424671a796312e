#pragma once

#include "libagent/model/model.hpp"

#include <string>
#include <string_view>

/// The OpenAI Chat Completions wire format, as OpenAI, Azure, Ollama, vLLM, llama.cpp and LiteLLM speak it.
/// Source: platform.openai.com/docs/api-reference/chat.
namespace troupe::chat_completions {

struct wire_options {
  /// The `model` field.
  std::string model;
  /// Whether images that tools gave back are passed on as a user message with `image_url` parts (the
  /// format has no place for them in tool results), or only mentioned in the tool's text.
  bool image_input = true;
};

/// The request body as JSON text.
std::string encode(const model_request& request, const wire_options& options);

/// Reads the body of a 200 answer. Error `model_failed` says what is missing or wrong.
result<model_response> decode(std::string_view body);

/// The message inside an error body (`{"error":{"message"}}`, `{"error":"..."}`, `{"detail":...}`), or the
/// beginning of the body as text; at most 500 characters, control characters removed.
std::string error_message(std::string_view body);

} // namespace troupe::chat_completions
