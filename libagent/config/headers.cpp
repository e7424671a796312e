#include "libagent/config/headers.hpp"

#include "libagent/config/http_url.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::config {

namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

void check_names(const field& headers) {
  static const std::set<std::string> own = {"host", "content-length", "transfer-encoding", "connection",
                                            "content-type"};
  std::set<std::string> seen;
  for (const auto& [name, at, value] : headers.value.entries) {
    if (!is_header_name(name))
      headers.ctx.fail(at, fmt::format("{} in {} is not the name of a header; use letters, digits and '-'",
                                       key_in_quotes(name), headers.what));
    else if (own.contains(lower_case(name)))
      headers.ctx.fail(at, fmt::format("header {} in {} is set by Troupe itself; remove it",
                                       key_in_quotes(name), headers.what));
    else if (!seen.insert(lower_case(name)).second)
      headers.ctx.fail(at, fmt::format("header {} in {} is there already in another case; give it once",
                                       key_in_quotes(name), headers.what));
  }
}

} // namespace

std::optional<header_list> read_headers(const field& from) {
  check_names(from);
  auto all = read_pairs(from, read_http_value);
  if (!all)
    return std::nullopt;
  header_list headers;
  for (auto& [name, value] : *all)
    headers.emplace_back(std::move(name), secret{std::move(value)});
  return headers;
}

} // namespace troupe::config
