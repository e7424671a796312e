#pragma once

#include "libagent/core/json.hpp"

#include <string>
#include <variant>
#include <vector>

namespace troupe {

struct text_content {
  std::string text;
  friend bool operator==(const text_content&, const text_content&) = default;
};

/// An image or a sound, as base64 (RFC 4648) with its media type.
struct image_content {
  std::string media_type;
  std::string data;
  friend bool operator==(const image_content&, const image_content&) = default;
};

struct audio_content {
  std::string media_type;
  std::string data;
  friend bool operator==(const audio_content&, const audio_content&) = default;
};

/// One part of what a tool gave back.
using content = std::variant<text_content, image_content, audio_content>;

/// All text parts, separated by newlines; other parts as a note such as "[image/png image, 1024 bytes]".
std::string plain_text(const std::vector<content>& parts);

/// `{"type":"text","text"}` or `{"type":"image"|"audio","media_type","data"}`, and back.
json to_json(const content& part);
result<content> content_from_json(const json& value);

} // namespace troupe
