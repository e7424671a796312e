#pragma once

#include "libagent/model/codec.hpp"

#include <memory>
#include <string>
#include <string_view>

/// OpenAI's Responses API, as OpenAI, Azure, vLLM, Ollama and LM Studio speak it. Every request carries the
/// whole conversation; nothing is stored at the endpoint. Source:
/// platform.openai.com/docs/api-reference/responses and
/// .../responses-streaming.
namespace troupe::responses {

struct wire_options {
  /// The `model` field.
  std::string model;
  /// Whether images that tools gave back are passed on in their outputs, or only mentioned in the text.
  bool image_input = true;
  /// The endpoint's base URL, or empty. With the model it tells whose reasoning a history holds: nobody else
  /// can read it.
  std::string base_url{};
};

/// The request body as JSON text, fields always in the same order; text that is not UTF-8 is repaired.
/// Histories are mended as for Chat Completions. Reasoning of this format goes back as it came if it can be
/// used without anything stored, that is, if it is encrypted or has its text, if something that the model
/// said or called follows it, and if it is this model's own (`reasoning_format`): endpoints refuse what
/// another one, a fallback or an earlier agent's, encrypted.
std::string encode(const model_request& request, const wire_options& options, bool streamed = false);

/// The `reasoning::format` of what this model thinks: "responses:" and the model, "@" and the endpoint's host
/// if it is known. Plain "responses" is of a model that is not known, and goes to every one.
std::string reasoning_format(const wire_options& options);

/// Reads the body of a 200 answer that `options` were used to ask for. Each message, call and reasoning is an
/// item, with ids as for Chat Completions; messages without text count only if there is no call. Outputs of
/// other types are passed over, but an answer that has nothing else is an error. `finish_reason` is the
/// status, or the reason why the answer is incomplete. Error `model_failed` as for Chat Completions. Never
/// throws.
result<model_response> decode(std::string_view body, const wire_options& options);

/// The codec for "/responses".
std::unique_ptr<const model_codec> make_responses_codec(wire_options options);

} // namespace troupe::responses
