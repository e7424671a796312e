#include "libagent/config/text_places.hpp"

#include "libagent/config/defaults.hpp"
#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

constexpr std::size_t bytes_a_milestone = 256;

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
}

/// The beginning of the first line that is not UTF-8; newlines never stand inside a character.
std::size_t first_bad_line(std::string_view text) {
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find('\n', start), text.size());
    if (!is_utf8(text.substr(start, end - start)))
      return start;
    start = end + 1;
  }
  return 0;
}

} // namespace

text_places::text_places(std::string_view text) : text_(text), line_starts_{0} {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % bytes_a_milestone == 0)
      milestones_.push_back(characters);
    characters += begins_character(text[i]);
    if (text[i] == '\n')
      line_starts_.push_back(i + 1);
  }
  milestones_.push_back(characters);
}

std::size_t text_places::characters_before(std::size_t offset) const {
  const auto milestone = offset / bytes_a_milestone;
  const auto rest = text_.substr(milestone * bytes_a_milestone, offset % bytes_a_milestone);
  return milestones_[milestone] +
         static_cast<std::size_t>(std::count_if(rest.begin(), rest.end(), begins_character));
}

place text_places::at(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto column = characters_before(offset) - characters_before(*(next - 1)) + 1;
  return {static_cast<unsigned>(next - line_starts_.begin()), static_cast<unsigned>(column)};
}

bool is_readable_text(const text_places& places, const report& fail) {
  const auto text = places.text();
  if (text.size() > defaults::max_file_bytes) {
    fail({}, fmt::format("the file is larger than {} bytes; an agent file is far smaller",
                         defaults::max_file_bytes));
    return false;
  }
  if (!is_utf8(text)) {
    fail(places.at(first_bad_line(text)), "the line is not UTF-8; save the file in UTF-8");
    return false;
  }
  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control != text.end()) {
    fail(places.at(static_cast<std::size_t>(control - text.begin())),
         fmt::format("control character 0x{:02x}; remove it, or write \"\\x{:02x}\" in double quotes",
                     static_cast<unsigned>(*control), static_cast<unsigned>(*control)));
    return false;
  }
  return true;
}

} // namespace troupe::config
