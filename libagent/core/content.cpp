#include "libagent/core/content.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

std::string note(std::string_view kind, const std::string& media_type, const std::string& data) {
  return fmt::format("[{} {}, {} bytes]", media_type, kind, data.size() / 4 * 3);
}

std::string describe(const content& part) {
  if (const auto* text = std::get_if<text_content>(&part))
    return text->text;
  if (const auto* image = std::get_if<image_content>(&part))
    return note("image", image->media_type, image->data);
  const auto& audio = std::get<audio_content>(part);
  return note("audio", audio.media_type, audio.data);
}

} // namespace

std::string plain_text(const std::vector<content>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0)
      text += '\n';
    text += describe(parts[i]);
  }
  return text;
}

json to_json(const content& part) {
  if (const auto* text = std::get_if<text_content>(&part))
    return {{"type", "text"}, {"text", text->text}};
  if (const auto* image = std::get_if<image_content>(&part))
    return {{"type", "image"}, {"media_type", image->media_type}, {"data", image->data}};
  const auto& audio = std::get<audio_content>(part);
  return {{"type", "audio"}, {"media_type", audio.media_type}, {"data", audio.data}};
}

result<content> content_from_json(const json& value) {
  const auto* type = find_string(value, "type");
  if (type == nullptr)
    return fail(errc::malformed, "a content part without a type");
  if (*type == "text") {
    if (const auto* text = find_string(value, "text"))
      return content(text_content{*text});
    return fail(errc::malformed, "a text part without its text");
  }
  const auto* media_type = find_string(value, "media_type");
  const auto* data = find_string(value, "data");
  if (media_type == nullptr || data == nullptr)
    return fail(errc::malformed, fmt::format("a part of type '{}' without media_type and data", *type));
  if (*type == "image")
    return content(image_content{*media_type, *data});
  if (*type == "audio")
    return content(audio_content{*media_type, *data});
  return fail(errc::malformed, fmt::format("a content part of unknown type '{}'", *type));
}

} // namespace troupe
