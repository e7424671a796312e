#include "libagent/run/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::run {

namespace {

/// Names are listed up to here; a model that offers hundreds of tools gains nothing from the rest.
constexpr std::size_t listed_tools = 50;

/// Models send nothing at all for a tool without parameters.
bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::size_t size_of(const content& part) {
  if (const auto* text = std::get_if<text_content>(&part))
    return text->text.size();
  if (const auto* image = std::get_if<image_content>(&part))
    return image->data.size();
  return std::get<audio_content>(part).data.size();
}

/// Cuts at the last character boundary within `max_bytes`.
std::string cut_text(const std::string& text, std::size_t max_bytes) {
  auto length = std::min(max_bytes, text.size());
  while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80)
    --length;
  return fmt::format("{}\n[cut: {} of {} bytes shown]", std::string_view(text).substr(0, length), length,
                     text.size());
}

} // namespace

std::string unknown_tool(const toolbox& tools, const std::string& name) {
  std::string known;
  const auto& offered = *tools.offered();
  for (std::size_t i = 0; i < std::min(offered.size(), listed_tools); ++i)
    known += (i == 0 ? "" : ", ") + offered[i].name;
  if (known.empty())
    return fmt::format("Error: there is no tool '{}'; no tools are available.", name);
  return fmt::format("Error: there is no tool '{}'; available tools: {}.", name, known);
}

result<json> read_arguments(const tool_spec& tool, const std::string& text) {
  if (is_blank(text))
    return read_arguments(tool, "{}");
  auto value = parse_json(text);
  if (!value)
    return fail(errc::malformed,
                fmt::format("Error: the arguments for '{}' are {}.", tool.name, value.error().detail));
  if (!value->is_object())
    return fail(errc::malformed,
                fmt::format("Error: the arguments for '{}' must be a JSON object.", tool.name));
  if (auto valid = tool.input.validate(*value); !valid)
    return fail(errc::invalid_argument, fmt::format("Error: the arguments for '{}' break its schema: {}.",
                                                    tool.name, valid.error().detail));
  return value;
}

tool_result bounded(tool_result result, std::size_t max_bytes) {
  std::size_t left = max_bytes;
  for (auto& part : result.parts) {
    const auto size = size_of(part);
    if (size <= left) {
      left -= size;
      continue;
    }
    if (const auto* text = std::get_if<text_content>(&part))
      part = text_content{cut_text(text->text, left)};
    else
      part = text_content{fmt::format("{} [left out: too large]", plain_text({part}))};
    left = 0;
  }
  return result;
}

} // namespace troupe::run
