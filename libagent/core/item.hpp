#pragma once

#include "libagent/core/content.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// What the user said.
struct user_message {
  std::string text;
  friend bool operator==(const user_message&, const user_message&) = default;
};

/// What an agent said, final or beside its tool calls.
struct assistant_message {
  std::string agent;
  std::string text;
  friend bool operator==(const assistant_message&, const assistant_message&) = default;
};

/// A model's wish to call a tool or to hand off (a handoff is a tool call on the wire).
struct tool_call {
  std::string call_id;
  /// The name that the model was offered.
  std::string name;
  /// JSON text exactly as the model wrote it, which may not be JSON at all.
  std::string arguments;
  std::string agent;
  friend bool operator==(const tool_call&, const tool_call&) = default;
};

/// What a tool gave back for the call with the same id.
struct tool_output {
  std::string call_id;
  std::vector<content> parts;
  bool is_error = false;
  friend bool operator==(const tool_output&, const tool_output&) = default;
};

/// What a model thought before it answered. Kept so that it can be given back to the kind of endpoint it came
/// from, which may insist on it.
struct reasoning {
  std::string agent;
  /// The readable part (a summary, or the thinking itself); may be empty.
  std::string text;
  /// Whose wire format `raw` is in: "responses" (or "responses:MODEL@HOST"), "anthropic" or
  /// "chat_completions". Codecs leave out the others'.
  std::string format;
  /// The entry as the endpoint wrote it: JSON text.
  std::string raw;
  friend bool operator==(const reasoning&, const reasoning&) = default;
};

/// One entry of a session's history.
using item = std::variant<user_message, assistant_message, tool_call, tool_output, reasoning>;
using item_list = std::vector<item>;
/// A history that several owners read and none changes. Null means empty.
using shared_items = std::shared_ptr<const item_list>;

/// The JSON form, after the Responses API's items:
/// `{"type":"message","role":"user","content"}`, `{"type":"message","role":"assistant","agent","content"}`,
/// `{"type":"function_call","call_id","name","arguments","agent"}`,
/// `{"type":"function_call_output","call_id","output","is_error"}` where `output` is a text, or an array
/// of content parts when there is more than one text; `{"type":"reasoning","agent","text","format","raw"}`.
json to_json(const item& value);
json to_json(const item_list& items);
/// Error `malformed` names what is missing or wrong.
result<item> item_from_json(const json& value);

} // namespace troupe
