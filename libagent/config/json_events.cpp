#include "libagent/config/json_events.hpp"

#include "libagent/core/json.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Offset behind the token (a string or a literal) that begins at the offset.
std::size_t end_of_token(std::string_view text, std::size_t begin) {
  if (text[begin] != '"')
    return std::min(text.find_first_of(" \t\r\n,]}", begin), text.size());
  auto i = begin + 1;
  while (text[i] != '"')
    i += text[i] == '\\' ? 2 : 1;
  return i + 1;
}

void put_scalar(tree_builder& builder, place at, std::string_view token) {
  if (token == "null")
    builder.null(at, 0);
  else if (token.front() == '"')
    builder.scalar(at, json::parse(token).get<std::string>(), false, 0);
  else
    builder.scalar(at, std::string{token}, true, 0);
}

} // namespace

bool is_json(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  return begin != std::string_view::npos && (text[begin] == '{' || text[begin] == '[') && json::accept(text);
}

// The text is well-formed, so its tokens alone tell the structure.
void parse_json_events(const text_places& text, tree_builder& builder) {
  const auto all = text.text();
  for (std::size_t i = 0; i < all.size();) {
    const char c = all[i];
    if (c == '{' || c == '[')
      builder.begin(c == '{' ? node::kind::map : node::kind::list, text.at(i), 0);
    else if (c == '}' || c == ']')
      builder.end();
    else if (c != ',' && c != ':' && blanks.find(c) == std::string_view::npos) {
      const auto end = end_of_token(all, i);
      put_scalar(builder, text.at(i), all.substr(i, end - i));
      i = end;
      continue;
    }
    ++i;
  }
}

} // namespace troupe::config
