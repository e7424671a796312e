#include "libagent/core/item.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

json output_json(const std::vector<content>& parts) {
  if (parts.size() == 1 && std::holds_alternative<text_content>(parts.front()))
    return std::get<text_content>(parts.front()).text;
  auto array = json::array();
  for (const auto& part : parts)
    array.push_back(to_json(part));
  return array;
}

result<std::vector<content>> parts_from_json(const json& value) {
  std::vector<content> parts;
  if (value.is_string()) {
    parts.emplace_back(text_content{value.get<std::string>()});
    return parts;
  }
  if (!value.is_array())
    return fail(errc::malformed, "a tool output that is neither text nor an array");
  for (const auto& entry : value) {
    auto part = content_from_json(entry);
    if (!part)
      return part.error();
    parts.push_back(std::move(*part));
  }
  return parts;
}

/// Reads required string members, remembering the first that is missing.
class field_reader {
public:
  explicit field_reader(const json& object) : object_(object) {}

  std::string text(std::string_view key) {
    if (const auto* value = find_string(object_, key))
      return *value;
    if (missing_.empty())
      missing_ = key;
    return {};
  }

  std::string optional_text(std::string_view key) const {
    const auto* value = find_string(object_, key);
    return value == nullptr ? std::string() : *value;
  }

  result<item> finish(item value) const {
    if (missing_.empty())
      return value;
    return fail(errc::malformed, fmt::format("an item without the text '{}'", missing_));
  }

private:
  const json& object_;
  std::string_view missing_;
};

result<item> message_from_json(field_reader fields) {
  const auto role = fields.text("role");
  if (role == "user")
    return fields.finish(user_message{fields.text("content")});
  if (role == "assistant")
    return fields.finish(assistant_message{fields.optional_text("agent"), fields.text("content")});
  return fail(errc::malformed, fmt::format("a message with the unknown role '{}'", role));
}

struct to_json_visitor {
  json operator()(const user_message& value) const {
    return {{"type", "message"}, {"role", "user"}, {"content", value.text}};
  }
  json operator()(const assistant_message& value) const {
    return {{"type", "message"}, {"role", "assistant"}, {"agent", value.agent}, {"content", value.text}};
  }
  json operator()(const tool_call& value) const {
    return {{"type", "function_call"},
            {"call_id", value.call_id},
            {"name", value.name},
            {"arguments", value.arguments},
            {"agent", value.agent}};
  }
  json operator()(const tool_output& value) const {
    json made = {
        {"type", "function_call_output"}, {"call_id", value.call_id}, {"output", output_json(value.parts)}};
    if (value.is_error)
      made["is_error"] = true;
    return made;
  }
  json operator()(const reasoning& value) const {
    return {{"type", "reasoning"},
            {"agent", value.agent},
            {"text", value.text},
            {"format", value.format},
            {"raw", value.raw}};
  }
};

} // namespace

json to_json(const item& value) {
  return std::visit(to_json_visitor{}, value);
}

json to_json(const item_list& items) {
  auto array = json::array();
  for (const auto& entry : items)
    array.push_back(to_json(entry));
  return array;
}

result<item> item_from_json(const json& value) {
  field_reader fields(value);
  const auto type = fields.text("type");
  if (type == "message")
    return message_from_json(fields);
  if (type == "function_call") {
    tool_call call;
    call.call_id = fields.text("call_id");
    call.name = fields.text("name");
    call.arguments = fields.text("arguments");
    call.agent = fields.optional_text("agent");
    return fields.finish(std::move(call));
  }
  if (type == "function_call_output") {
    const auto* output = find(value, "output");
    auto parts = parts_from_json(output == nullptr ? json() : *output);
    if (!parts)
      return parts.error();
    const auto* is_error = find(value, "is_error");
    const bool failed = is_error != nullptr && is_error->is_boolean() && is_error->get<bool>();
    return fields.finish(tool_output{fields.text("call_id"), std::move(*parts), failed});
  }
  if (type == "reasoning")
    return fields.finish(reasoning{fields.optional_text("agent"), fields.optional_text("text"),
                                   fields.text("format"), fields.text("raw")});
  return fail(errc::malformed, fmt::format("an item of unknown type '{}'", type));
}

} // namespace troupe
