#include "actors/http/origins.hpp"

#include "actors/http/defaults.hpp"
#include "actors/http/routes.hpp"
#include "libagent/config/spelling.hpp"
#include "libagent/core/authority.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::http {

namespace {

/// The host of an absolute request target; empty for a target without one.
std::string_view authority_of_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.starts_with(scheme)) {
      target.remove_prefix(scheme.size());
      return target.substr(0, target.find_first_of("/?#"));
    }
  return {};
}

bool is_absolute(std::string_view target) {
  return target.starts_with("http://") || target.starts_with("https://");
}

answer bad_request(std::string_view message) {
  return refuse(400, "bad_request", message);
}

/// "HOST:PORT" of an origin, the usual port left off; empty for "null" and what is no origin.
std::string place_of(std::string_view origin) {
  const auto is_secure = origin.starts_with("https://");
  if (!is_secure && !origin.starts_with("http://"))
    return {};
  const auto where = parse_authority(origin.substr(origin.find("//") + 2));
  if (!where)
    return {};
  const auto usual = is_secure ? 443 : 80;
  return fmt::format("{}:{}", where->host, where->port.value_or(static_cast<std::uint16_t>(usual)));
}

/// Whether the page is one of the server's own. By what name and scheme a proxy in front is reached, only the
/// browser knows: its origin and its host agree.
bool is_same_origin(std::string_view origin, std::string_view host) {
  const auto where = parse_authority(host);
  const auto page = place_of(origin);
  if (!where || page.empty())
    return false;
  const auto usual = origin.starts_with("https://") ? 443 : 80;
  return page == fmt::format("{}:{}", where->host, where->port.value_or(static_cast<std::uint16_t>(usual)));
}

} // namespace

origins::origins(const config::server_options& options)
    : checks_hosts_(is_loopback(options.host) || !options.allowed_hosts.empty()),
      hosts_(options.allowed_hosts), cors_(options.cors) {
  auto own = std::string_view(options.host);
  if (own.starts_with('[') && own.ends_with(']'))
    own = own.substr(1, own.size() - 2);
  hosts_.emplace_back(own);
}

bool origins::is_ours(std::string_view host) const {
  return !checks_hosts_ || is_loopback(host) || std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

std::optional<answer> origins::refuse_host(const visitor& from) const {
  if (from.host.count > 1)
    return bad_request("there is more than one header Host");
  if (from.host.count == 0 && !from.may_lack_host)
    return bad_request("the header Host is missing");
  const auto refuse_name = [this](std::string_view text) -> std::optional<answer> {
    const auto named = parse_authority(text);
    if (!named)
      return bad_request("the request is for something that is no host");
    if (is_ours(named->host))
      return std::nullopt;
    return refuse(
        421, "misdirected_request",
        fmt::format("this server is not {}; use its address, or add the name to allowed_hosts in the "
                    "server block of the agent file",
                    config::in_quotes(named->host)));
  };
  // RFC 9112, section 3.2.2: the target's host counts; but what lies between may have gone by the other.
  if (is_absolute(from.target))
    if (auto refusal = refuse_name(authority_of_target(from.target)))
      return refusal;
  return from.host.count == 0 ? std::nullopt : refuse_name(from.host.value);
}

bool origins::is_listed(std::string_view origin) const {
  const auto& list = cors_.origins;
  return std::find(list.begin(), list.end(), origin) != list.end() ||
         std::find(list.begin(), list.end(), "*") != list.end();
}

std::optional<answer> origins::refuse_origin(const visitor& from) const {
  if (from.origin.count > 1)
    return bad_request("there is more than one header Origin");
  if (from.origin.count == 0 || is_same_origin(from.origin.value, from.host.value) ||
      is_listed(from.origin.value))
    return std::nullopt;
  return refuse(
      403, "origin_not_allowed",
      fmt::format("pages of {} may not ask this server; add it to cors.origins in the server block of the "
                  "agent file",
                  config::in_quotes(from.origin.value)));
}

header_lines origins::cors_headers(const visitor& from) const {
  if (cors_.origins.empty())
    return {};
  // Caches must keep answers to different origins apart.
  header_lines lines{{"Vary", "Origin"}};
  if (from.origin.count != 1 || !is_listed(from.origin.value))
    return lines;
  const auto is_any = std::find(cors_.origins.begin(), cors_.origins.end(), "*") != cors_.origins.end();
  lines.emplace_back("Access-Control-Allow-Origin", is_any ? "*" : std::string(from.origin.value));
  if (cors_.credentials && !is_any)
    lines.emplace_back("Access-Control-Allow-Credentials", "true");
  lines.emplace_back("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate");
  return lines;
}

std::optional<answer> origins::answer_preflight(const visitor& from) const {
  if (from.method != "OPTIONS" || from.asked_method.count == 0 || from.origin.count != 1 ||
      !is_listed(from.origin.value))
    return std::nullopt;
  const auto match = find_route(from.method, from.target);
  if (match.allow.empty())
    return std::nullopt;
  answer granted{204, {}, {}, false};
  granted.headers.emplace_back("Access-Control-Allow-Methods", match.allow);
  granted.headers.emplace_back(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, Accept, X-Api-Key, Idempotency-Key, Last-Event-ID");
  granted.headers.emplace_back("Access-Control-Max-Age", std::to_string(defaults::preflight_age.count()));
  return granted;
}

} // namespace troupe::http
