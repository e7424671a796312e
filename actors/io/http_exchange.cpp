#include "actors/io/http_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <strings.h>

namespace troupe::io {
namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

bool is_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127 && c != '#'; });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return (c < ' ' && c != '\t') || c == 127; });
}

bool is_ours(const std::string& name) {
  constexpr std::array names{"Host", "Content-Length", "Transfer-Encoding", "Connection"};
  return std::any_of(names.begin(), names.end(),
                     [&](const char* ours) { return strcasecmp(ours, name.c_str()) == 0; });
}

} // namespace

result<std::string> make_request_head(const http_url& origin, const http_request& request) {
  if (!is_token(request.method))
    return fail(errc::invalid_argument, "that is not an HTTP method");
  const auto& target = request.target;
  if (!is_target(target) || (!target.empty() && target[0] != '/' && target[0] != '?'))
    return fail(errc::invalid_argument, "a target is visible ASCII and begins with / or ?");
  std::string head;
  head.reserve(256 + origin.path.size() + target.size());
  const bool needs_slash = origin.path.empty() && !target.starts_with('/');
  auto out = std::back_inserter(head);
  fmt::format_to(out, "{} {}{}{} HTTP/1.1\r\nHost: {}\r\n", request.method, origin.path,
                 needs_slash ? "/" : "", target, host_header(origin));
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_field_value(value))
      // The value may be a secret, so only the name is told.
      return fail(errc::invalid_argument,
                  is_token(name) ? fmt::format("the value of header \"{}\" has a control character", name)
                                 : "the name of a header is not a token");
    if (!is_ours(name))
      fmt::format_to(out, "{}: {}\r\n", name, value);
  }
  fmt::format_to(out, "Content-Length: {}\r\n\r\n", request.body.size());
  return head;
}

} // namespace troupe::io
