#pragma once

#include "libagent/model/codec.hpp"

#include <memory>
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
  /// The field that carries the setting `max_tokens`. OpenAI's reasoning models refuse `max_tokens` and want
  /// `max_completion_tokens`; most other endpoints know only the former.
  std::string max_tokens_field = "max_tokens";
};

/// The request body as JSON text, fields always in the same order; text that is not UTF-8 is repaired. What
/// endpoints would refuse is mended: a call without an output (the process died in between) gets one that
/// says so, an output without a call is left out, and so is the choice of a tool that is not offered.
/// Reasoning is not sent back: the format has no place for it. A streamed answer is asked to tell its usage.
std::string encode(const model_request& request, const wire_options& options, bool streamed = false);

/// Reads the body of a 200 answer. A call without an id has an empty one, one with an id that came before
/// gets a suffix; a refusal is a text like any other; `reasoning_content` or `reasoning` becomes a
/// `reasoning` item before the rest. Error `model_failed` says what is missing or wrong, passes on an error
/// object that came with status 200, and tells when a limit or filter left neither text nor calls. Never
/// throws.
result<model_response> decode(std::string_view body);

/// The same as `endpoint_error_message`.
std::string error_message(std::string_view body);

/// The codec for "/chat/completions". Its stream decoder takes the streams of all the endpoints above: calls
/// whose deltas have no index or all the same one, ids and names in pieces or repeated, arguments as text or
/// object, no
/// "[DONE]" after the finish reason.
std::unique_ptr<const model_codec> make_chat_completions_codec(wire_options options);

} // namespace troupe::chat_completions
