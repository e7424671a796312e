#include "libagent/config/http_url.hpp"

#include "libagent/config/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

bool is_printable(char c) {
  return c > 0x20 && c < 0x7f;
}

bool is_port(std::string_view text) {
  const auto number = parse_integer(text);
  return number && *number >= 1 && *number <= 65535 && text.front() != '+';
}

/// "host", "host:port", "[address]" or "[address]:port".
bool is_authority(std::string_view authority) {
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos)
    return false;
  const auto colon = authority.find(':', bracket);
  const auto host = authority.substr(0, colon);
  if (host.empty() || host == "[]" || (bracket > 0 && bracket + 1 != host.size()))
    return false;
  return colon == std::string_view::npos || is_port(authority.substr(colon + 1));
}

} // namespace

std::string problem_of_url(std::string_view url, const url_rules& rules) {
  const auto scheme = url.starts_with("https://") ? 8u : url.starts_with("http://") ? 7u : 0u;
  if (scheme == 0)
    return fmt::format("does not begin with http:// or https://; write the whole address, such as {}",
                       rules.example);
  if (!std::all_of(url.begin(), url.end(), is_printable))
    return "holds a blank or a character outside ASCII; write it percent-encoded";
  const auto rest = url.substr(scheme);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return "holds a user name or password; give it in a header";
  if (!is_authority(authority))
    return fmt::format("has no valid host and port; write it like {}", rules.example);
  if (rest.find('#') != std::string_view::npos)
    return "holds a '#'; leave off what begins with it";
  if (!rules.may_have_query && rest.find('?') != std::string_view::npos)
    return "holds a '?'; write parameters under 'query'";
  const auto path = url.substr(0, url.find_last_not_of('/') + 1);
  for (const auto added : rules.added_paths)
    if (path.ends_with(added))
      return fmt::format("ends in {}, which is added to it; leave that off", added);
  return {};
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

} // namespace troupe::config
