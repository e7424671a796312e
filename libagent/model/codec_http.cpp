#include "libagent/model/codec_http.hpp"

#include "libagent/core/json.hpp"

namespace troupe {

namespace {

constexpr std::size_t max_characters = 500;
/// Bodies beyond this are not parsed for their message; an error page of this size has none.
constexpr std::size_t max_parsed_bytes = std::size_t{1} << 20;

/// Of a body that has no message: four bytes a character at most, and much more for control characters that
/// go and secrets that are taken out.
constexpr std::size_t max_text_bytes = std::size_t{64} << 10;

bool is_text(const json* value) {
  return value && value->is_string() && !value->get_ref<const std::string&>().empty();
}

/// A text itself; of an object its message; of a list its first element's. Else nothing.
std::string message_in(const json& value) {
  if (is_text(&value))
    return value.get<std::string>();
  if (value.is_array() && !value.empty() && !value.front().is_array())
    return message_in(value.front());
  if (!value.is_object())
    return {};
  for (const auto* key : {"message", "msg", "detail", "code", "type"})
    if (const auto* inner = find(value, key); is_text(inner))
      return inner->get<std::string>();
  return {};
}

std::string message_of(std::string_view body) {
  if (body.size() > max_parsed_bytes)
    return {};
  const auto parsed = parse_json(body);
  if (!parsed)
    return {};
  if (parsed->is_array())
    return parsed->empty() ? std::string{} : message_of(dump_json(parsed->front()));
  if (!parsed->is_object())
    return message_in(*parsed);
  for (const auto* key : {"error", "detail", "message", "errors"}) {
    const auto* value = find(*parsed, key);
    auto message = value ? message_in(*value) : std::string{};
    if (!message.empty())
      return message;
  }
  return {};
}

/// How many bytes the UTF-8 sequence that begins with this byte has.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80)
    return 1;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// U+0000 to U+001F, U+007F, and U+0080 to U+009F.
bool is_control(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character.front());
  return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

} // namespace

// Line breaks and tabs become spaces.
std::string shorten_error(std::string_view text) {
  auto out = std::string{};
  auto characters = std::size_t{0};
  while (!text.empty() && characters < max_characters) {
    const auto character = text.substr(0, sequence_length(static_cast<unsigned char>(text.front())));
    text.remove_prefix(character.size());
    const auto is_space = character == "\n" || character == "\t";
    if (is_control(character) && !is_space)
      continue;
    out += is_space ? std::string_view{" "} : character;
    ++characters;
  }
  return out;
}

std::string endpoint_error_text(std::string_view body) {
  auto message = message_of(body);
  return message.empty() ? to_utf8(body.substr(0, max_text_bytes)) : message;
}

std::string endpoint_error_message(std::string_view body) {
  return shorten_error(endpoint_error_text(body));
}

std::vector<std::pair<std::string, std::string>> bearer_headers(std::string_view api_key) {
  if (api_key.empty())
    return {};
  return {{"Authorization", "Bearer " + std::string{api_key}}};
}

} // namespace troupe
