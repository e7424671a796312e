#include "libagent/model/codec_answer.hpp"

#include "libagent/model/codec_http.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

/// The text of one element of a `content` list; parts that are no text count as empty.
std::string part_text(const json& part) {
  if (const auto* text = part.get_ptr<const json::string_t*>())
    return *text;
  for (const auto* key : {"text", "refusal"})
    if (const auto* text = part.is_object() ? find_string(part, key) : nullptr)
      return *text;
  return {};
}

} // namespace

error bad_answer(std::string_view why) {
  return fail(errc::model_failed, fmt::format("the model's answer {}", why));
}

error reported_error(const json& reason) {
  return bad_answer("is an error: " + endpoint_error_text(dump_json({{"error", reason}})));
}

error stream_cut() {
  return fail(errc::model_stream_cut, "the model's stream ended before its answer did");
}

const json* find_value(const json& object, std::string_view key) {
  const auto* value = object.is_object() ? find(object, key) : nullptr;
  return value && !value->is_null() ? value : nullptr;
}

const std::string* find_text(const json& object, std::string_view key) {
  const auto* text = object.is_object() ? find_string(object, key) : nullptr;
  return text && !text->empty() ? text : nullptr;
}

std::uint64_t read_count(const json* object, std::string_view key) {
  const auto* value = object ? find_value(*object, key) : nullptr;
  return value && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

result<std::string> read_content(const json& given) {
  if (const auto* text = given.get_ptr<const json::string_t*>())
    return *text;
  if (!given.is_array())
    return bad_answer("has a content that is neither a text nor a list of parts");
  auto text = std::string{};
  for (const auto& part : given)
    text += part_text(part);
  return text;
}

std::string read_arguments(const json* given) {
  if (!given)
    return {};
  const auto* text = given->get_ptr<const json::string_t*>();
  return text ? *text : dump_json(*given);
}

std::string whole_arguments(std::string text) {
  return text.empty() ? "{}" : std::move(text);
}

std::optional<error> explain_silence(std::string_view finish_reason) {
  if (finish_reason == "length" || finish_reason == "max_output_tokens") {
    auto reason = bad_answer(
        fmt::format("was cut off before any text came (finish_reason {}); raise max_tokens", finish_reason));
    reason.facts = std::make_shared<const json>(json{{"finish_reason", finish_reason}});
    return reason;
  }
  if (finish_reason == "content_filter")
    return bad_answer("was withheld by the endpoint's content filter");
  return std::nullopt;
}

} // namespace troupe
