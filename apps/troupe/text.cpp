#include "apps/troupe/text.hpp"

#include "apps/troupe/hidden_secrets.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::cli {

namespace {

bool is_ascii_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

/// Whether a C1 control character (U+0080 to U+009F) stands there: C2 80 to C2 9F in UTF-8.
bool is_c1_at(std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) != 0xC2 || at + 1 >= text.size())
    return false;
  return static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// The code point of the UTF-8 character that stands there, for those of two or three bytes; else 0.
unsigned code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  if ((byte(0) & 0xE0) == 0xC0)
    return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  if ((byte(0) & 0xF0) == 0xE0)
    return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return 0;
}

/// C1 controls, marks of direction, characters without width, and line separators.
bool is_hidden(unsigned code_point) {
  const auto within = [=](unsigned first, unsigned last) {
    return code_point >= first && code_point <= last;
  };
  return within(0x80, 0x9F) || code_point == 0xAD || code_point == 0x61C || within(0x200B, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x206F) || code_point == 0xFEFF;
}

/// Whether a character stands there that turns the direction of what follows: embeddings, overrides and
/// isolates (UAX #9), by which a text can look like another one. All have three bytes.
bool turns_direction_at(std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) != 0xE2)
    return false;
  const auto code_point = code_point_at(text, at);
  return (code_point >= 0x202A && code_point <= 0x202E) || (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string cut(std::string text, std::size_t max_characters) {
  auto seen = std::size_t{0};
  auto keep = std::size_t{0};
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    if (!begins_character(text[i]))
      continue;
    if (++seen == max_characters)
      keep = i;
    if (seen > max_characters)
      return text.substr(0, keep) + "…";
  }
  return text;
}

} // namespace

std::string printable(std::string_view text) {
  const auto whole = to_utf8(text);
  auto kept = std::string{};
  kept.reserve(whole.size());
  for (auto i = std::size_t{0}; i < whole.size(); ++i) {
    if (is_c1_at(whole, i))
      ++i;
    else if (turns_direction_at(whole, i))
      i += 2;
    else if (!is_ascii_control(whole[i]) || whole[i] == '\n' || whole[i] == '\t')
      kept += whole[i];
  }
  return kept;
}

std::string one_line(std::string_view text, std::size_t max_characters) {
  // Nothing past this can be shown; a tool may give megabytes. A secret that is cut is none to be found.
  const auto clean = printable(hidden_secrets()->hide(std::string(text)).substr(0, max_characters * 8));
  auto line = std::string{};
  for (const auto c : clean) {
    const auto blank = c == ' ' || c == '\n' || c == '\t';
    if (!blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (line.ends_with(' '))
    line.pop_back();
  return cut(std::move(line), max_characters);
}

std::string escape_controls(std::string_view text) {
  const auto whole = to_utf8(text);
  auto escaped = std::string{};
  for (auto i = std::size_t{0}; i < whole.size(); ++i) {
    if (whole[i] == '\n') {
      escaped += "\\n";
    } else if (turns_direction_at(whole, i)) {
      escaped += fmt::format("\\u{:04x}", code_point_at(whole, i));
      i += 2;
    } else if (whole[i] == '\t' || !(is_ascii_control(whole[i]) || is_c1_at(whole, i)))
      escaped += whole[i];
    else if (is_ascii_control(whole[i]))
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(whole[i]));
    else
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(whole[++i]));
  }
  return escaped;
}

std::string visible_json(const json& value, int indent) {
  const auto whole = value.dump(indent, ' ', false, json::error_handler_t::replace);
  auto text = std::string{};
  for (auto i = std::size_t{0}; i < whole.size(); ++i) {
    const auto code_point = whole[i] == 0x7F ? 0x7Fu : code_point_at(whole, i);
    if (code_point == 0x7F || is_hidden(code_point)) {
      text += fmt::format("\\u{:04x}", code_point);
      i += code_point < 0x80 ? 0 : code_point < 0x800 ? 1 : 2;
    } else {
      text += whole[i];
    }
  }
  return text;
}

std::size_t character_count(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string in_shell(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./+,:@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain))
    return std::string{text};
  auto word = std::string{"'"};
  for (const auto c : text)
    word += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return word + "'";
}

} // namespace troupe::cli
