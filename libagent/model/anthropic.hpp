#pragma once

#include "libagent/model/codec.hpp"

#include <memory>
#include <string>

/// Anthropic's Messages API. Source: docs.anthropic.com/en/api/messages, .../messages-streaming, and
/// .../docs/build-with-claude/extended-thinking, .../adaptive-thinking and .../effort.
namespace troupe::anthropic {

struct wire_options {
  /// The `model` field.
  std::string model;
  /// Whether images that tools gave back are passed on in their results, or only mentioned in the text.
  /// Images of types that the API does not take, and those of failed calls, are only mentioned in any case.
  bool image_input = true;
  /// The limit for agents that set none: the API insists on one.
  unsigned max_tokens = 4096;
  /// The `anthropic-version` header.
  std::string version = "2023-06-01";
};

/// The codec for "/v1/messages" below a base URL such as https://api.anthropic.com.
///
/// What the API would refuse is mended. Neighbours of one role become one message; a conversation that does
/// not begin or end with the user gets a few words of the user's; blank texts are left out; a call without an
/// output is answered as interrupted, an output without a call left out; call ids are made unique and their
/// odd characters replaced; arguments that are no JSON object become {}. Where the history has calls but no
/// tool is offered, the tools of the past are declared and may not be called.
///
/// With `thinking_tokens` (raised to the API's least, 1,024) the model thinks: temperature, top_p and forced
/// choices of tools, which do not go with thinking, are left out, and the limit of tokens is raised by the
/// budget if it is not above it. What was thought since the user last spoke goes back as it came; older
/// thoughts the API does not need. If calls were made since then without a thought before them (by another
/// agent, or another provider's model), the API takes no thinking, so this one call goes without.
///
/// `reasoning_effort` is for where `thinking_tokens` is not given: "low", "medium" and "high" are 2,048,
/// 8,192 and 16,384 tokens to think with, at most half of a limit that the agent set, and none if no 1,024
/// are left below it; "minimal" is no thinking. Claude models from version 4.6 on, by their names, are asked
/// to think adaptively at that effort instead ("minimal" is "low" without thinking), which goes with forced
/// choices and with any history. Those from 4.7 on take no budget, so that `thinking_tokens` too becomes
/// adaptive thinking, and neither temperature nor top_p in any case.
///
/// Structured output is asked for in words: the schema is appended to the system prompt, since the API's own
/// field exists for some models only. The answer is not checked here.
///
/// Decoding: neighbouring texts are one message; the arguments of a call are its `input` as JSON text; a
/// block of thinking is a `reasoning` item whose `raw` is the block. Input tokens include those read from and
/// written to the cache. Blocks of other kinds are passed over.
std::unique_ptr<const model_codec> make_anthropic_codec(wire_options options);

} // namespace troupe::anthropic
