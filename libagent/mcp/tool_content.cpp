#include "libagent/mcp/tool_content.hpp"

#include "libagent/mcp/base64.hpp"
#include "libagent/mcp/protocol.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::mcp {

namespace {

std::string text_or(const json& object, std::string_view key, std::string_view otherwise) {
  const auto* text = find_string(object, key);
  return text == nullptr ? std::string(otherwise) : *text;
}

/// Moves a string member out of the object.
std::string take_string(json& object, const char* key) {
  return std::move(object[key].get_ref<std::string&>());
}

content note(std::string text) {
  return text_content{"[" + std::move(text) + "]"};
}

bool is_text_type(std::string_view media_type) {
  return media_type.starts_with("text/") || media_type.starts_with("application/json") ||
         media_type.ends_with("+json") || media_type.ends_with("+xml");
}

content from_blob(std::string uri, std::string media_type, std::string data) {
  if (media_type.starts_with("image/"))
    return image_content{std::move(media_type), std::move(data)};
  if (media_type.starts_with("audio/"))
    return audio_content{std::move(media_type), std::move(data)};
  if (is_text_type(media_type))
    if (const auto text = decode_base64(data); text && is_utf8(*text))
      return text_content{fmt::format("[resource {}]\n{}", uri, *text)};
  return note(fmt::format("resource {}, {}, {} bytes, not shown", uri,
                          media_type.empty() ? "unknown type" : media_type, data.size() / 4 * 3));
}

content from_resource(json& part) {
  const auto found = part.find("resource");
  if (found == part.end() || !found->is_object())
    return note("a resource without its contents");
  auto& resource = *found;
  auto uri = text_or(resource, "uri", "without a URI");
  if (find_string(resource, "text") != nullptr)
    return text_content{fmt::format("[resource {}]\n{}", uri, take_string(resource, "text"))};
  if (find_string(resource, "blob") != nullptr)
    return from_blob(std::move(uri), text_or(resource, "mimeType", ""), take_string(resource, "blob"));
  return note(fmt::format("resource {} without its contents", uri));
}

content from_link(const json& part) {
  auto text = fmt::format("link to resource {}", text_or(part, "uri", "without a URI"));
  for (const char* key : {"title", "name", "mimeType", "description"})
    if (const auto* value = find_string(part, key))
      text += ", " + *value;
  return note(std::move(text));
}

content from_part(json& part) {
  const auto type = text_or(part, "type", "");
  if (type == "text")
    return find_string(part, "text") ? content(text_content{take_string(part, "text")})
                                     : note("a text without its text");
  if (type == "image" || type == "audio") {
    if (find_string(part, "data") == nullptr || find_string(part, "mimeType") == nullptr)
      return note(fmt::format("{} without data and mimeType", type));
    if (type == "image")
      return image_content{take_string(part, "mimeType"), take_string(part, "data")};
    return audio_content{take_string(part, "mimeType"), take_string(part, "data")};
  }
  if (type == "resource")
    return from_resource(part);
  if (type == "resource_link")
    return from_link(part);
  return note(type.empty() ? std::string("content without a type")
                           : fmt::format("content of unknown type \"{}\"", type));
}

/// Whether a text part says what the value says: the same string, or JSON of the same value.
bool says(const content& part, const json& value) {
  const auto* text = std::get_if<text_content>(&part);
  if (text == nullptr)
    return false;
  if (value.is_string() && value.get_ref<const std::string&>() == text->text)
    return true;
  const auto first = text->text.find_first_not_of(" \t\r\n");
  // Parsing is for what may be JSON, not for every long text.
  if (first == std::string::npos ||
      (value.is_structured() && text->text[first] != '{' && text->text[first] != '['))
    return false;
  const auto parsed = parse_json(text->text, max_message_depth);
  return parsed && *parsed == value;
}

bool any_says(const std::vector<content>& parts, const json& value) {
  for (const auto& part : parts)
    if (says(part, value))
      return true;
  return false;
}

bool each_says(const std::vector<content>& parts, const json& values) {
  if (!values.is_array() || values.size() != parts.size())
    return false;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!says(parts[i], values[i]))
      return false;
  return true;
}

/// Whether the parts say what the structured content says. Servers made with FastMCP wrap a plain value as
/// {"result": value}, and give one part for each element of a list; the reference server for files wraps a
/// text as {"content": text}.
bool already_said(const std::vector<content>& parts, const json& structured) {
  if (any_says(parts, structured))
    return true;
  if (structured.size() != 1)
    return false;
  const auto* text = find(structured, "content");
  if (text != nullptr && text->is_string() && any_says(parts, *text))
    return true;
  const auto* wrapped = find(structured, "result");
  return wrapped != nullptr && (any_says(parts, *wrapped) || each_says(parts, *wrapped));
}

} // namespace

tool_result to_tool_result(json value, const std::optional<json_schema>& output) {
  const auto* listed = find(value, "content");
  const auto* structured = find(value, "structuredContent");
  const bool has_structured = structured != nullptr && !structured->is_null();
  if (listed == nullptr ? !has_structured : !listed->is_array())
    return tool_result::failure("The MCP server's result is malformed: it has no content.");

  const auto* failed = find(value, "isError");
  tool_result made{{}, failed != nullptr && failed->is_boolean() && failed->get<bool>()};
  if (has_structured && output && !made.is_error)
    if (const auto fits = output->validate(*structured); !fits)
      return tool_result::failure(fmt::format(
          "The tool's structured result breaks the output schema that it declares: {}", fits.error().detail));
  if (listed != nullptr)
    for (auto& part : value["content"])
      made.parts.push_back(from_part(part));
  if (has_structured && !already_said(made.parts, *structured))
    made.parts.push_back(text_content{dump_json(*structured)});
  return made;
}

json to_mcp_content(const std::vector<content>& parts) {
  auto listed = json::array();
  for (const auto& part : parts) {
    if (const auto* text = std::get_if<text_content>(&part))
      listed.push_back({{"type", "text"}, {"text", text->text}});
    else if (const auto* image = std::get_if<image_content>(&part))
      listed.push_back({{"type", "image"}, {"data", image->data}, {"mimeType", image->media_type}});
    else if (const auto* audio = std::get_if<audio_content>(&part))
      listed.push_back({{"type", "audio"}, {"data", audio->data}, {"mimeType", audio->media_type}});
  }
  return listed;
}

} // namespace troupe::mcp
