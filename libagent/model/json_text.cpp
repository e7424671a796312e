#include "libagent/model/json_text.hpp"

#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <iterator>

namespace troupe {

namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c) {
  switch (c) {
  case '"':
    out += "\\\"";
    break;
  case '\\':
    out += "\\\\";
    break;
  case '\n':
    out += "\\n";
    break;
  case '\r':
    out += "\\r";
    break;
  case '\t':
    out += "\\t";
    break;
  default:
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

/// Without an early exit, so that compilers vectorise it: tool outputs can be megabytes.
bool is_ascii(std::string_view text) {
  auto seen = 0u;
  for (const auto c : text)
    seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}

void append_valid(std::string& out, std::string_view text) {
  out += '"';
  auto plain = std::size_t{0};
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    if (!needs_escape(text[i]))
      continue;
    out.append(text, plain, i - plain);
    append_escaped(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain);
  out += '"';
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (is_ascii(text) || is_utf8(text))
    append_valid(out, text);
  else
    append_valid(out, to_utf8(text));
}

} // namespace troupe
