#pragma once

#include "libagent/core/agent.hpp"
#include "libagent/core/item.hpp"
#include "libagent/core/usage.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One call of a model, independent of any provider's wire format.
struct model_request {
  /// The agent that asks, for logs and for the scripted provider.
  std::string agent;
  std::string instructions;
  /// The conversation: first what the session held when the run began, then what the run added.
  shared_items past;
  item_list fresh;
  /// Tools and handoffs that the model may call, in the order to offer them. Null means none.
  shared_tools tools;
  model_settings settings;
  /// Null: any text.
  std::shared_ptr<const output_format> output;
};
using model_request_ptr = std::shared_ptr<const model_request>;

/// A model's answer.
struct model_response {
  /// Messages, tool calls and reasoning in the order the model gave them; `agent` is filled in by the run. A
  /// call for which the endpoint gave no id has an empty one until the model's actor gives it one; where that
  /// does not, the run does.
  item_list output;
  usage used;
  /// The provider's word for why it stopped ("stop", "tool_calls", "length", ...); may be empty.
  std::string finish_reason;
  /// The model that answered, by its name in the configuration: with fallbacks it need not be the one that
  /// was asked. Filled in by the model's actor.
  std::string model;
};

/// Whether that means that there were no more tokens for the answer: as Chat Completions, the Messages API
/// and the Responses API call it.
inline bool means_cut(std::string_view finish_reason) {
  return finish_reason == "length" || finish_reason == "max_tokens" || finish_reason == "max_output_tokens";
}
inline bool is_cut(const model_response& answer) {
  return means_cut(answer.finish_reason);
}
/// An error tells by its facts ("finish_reason").
inline bool is_cut(const error& reason) {
  const auto* word = reason.facts ? find_string(*reason.facts, "finish_reason") : nullptr;
  return word != nullptr && means_cut(*word);
}

} // namespace troupe
