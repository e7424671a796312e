#include "actors/http/routes.hpp"

#include <array>
#include <charconv>

namespace troupe::http {

namespace {

constexpr std::array all_routes{
    route{"POST", "/api/v1/chat", endpoint::chat},
    route{"GET", "/api/v1/runs/{run_id}", endpoint::run},
    route{"POST", "/api/v1/runs/{run_id}/resume", endpoint::resume_run},
    route{"POST", "/api/v1/runs/{run_id}/cancel", endpoint::cancel_run},
    route{"GET", "/api/v1/runs/{run_id}/events", endpoint::run_events},
    route{"GET", "/api/v1/sessions/{session_id}", endpoint::session},
    route{"DELETE", "/api/v1/sessions/{session_id}", endpoint::forget_session},
    route{"GET", "/health", endpoint::health, access::anybody},
    route{"GET", "/api/v1/agents", endpoint::agents},
    route{"GET", "/api/v1/mcp", endpoint::mcp, access::operators},
    route{"GET", "/api/v1/system", endpoint::system, access::operators},
    route{"GET", "/metrics", endpoint::metrics, access::operators},
    route{"GET", "/openapi.json", endpoint::openapi},
};

/// What stands in the place of the pattern's parameter, or an empty text for a pattern without one; nothing
/// if the path does not fit.
std::optional<std::string_view> fit(std::string_view pattern, std::string_view path) noexcept {
  const auto brace = pattern.find('{');
  if (brace == std::string_view::npos)
    return pattern == path ? std::optional(std::string_view()) : std::nullopt;
  const auto after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= brace + after.size() || !path.starts_with(pattern.substr(0, brace)) ||
      !path.ends_with(after))
    return std::nullopt;
  const auto parameter = path.substr(brace, path.size() - brace - after.size());
  if (parameter.find('/') != std::string_view::npos)
    return std::nullopt;
  return parameter;
}

void allow(std::string& methods, std::string_view method) {
  if (!methods.empty())
    methods += ", ";
  methods += method;
  if (method == "GET")
    methods += ", HEAD";
}

} // namespace

std::span<const route> routes() noexcept {
  return all_routes;
}

std::string_view path_of(std::string_view target) noexcept {
  for (const std::string_view scheme : {"http://", "https://"})
    if (target.starts_with(scheme)) {
      target.remove_prefix(scheme.size());
      const auto slash = target.find_first_of("/?#");
      target = slash == std::string_view::npos || target[slash] != '/' ? "/" : target.substr(slash);
    }
  return target.substr(0, target.find_first_of("?#"));
}

route_match find_route(std::string_view method, std::string_view target) {
  const auto path = path_of(target);
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  route_match match;
  for (const auto& candidate : all_routes) {
    const auto parameter = fit(candidate.path, path);
    if (!parameter)
      continue;
    match.parameter = *parameter;
    if (candidate.method == wanted) {
      match.what = candidate.what;
      match.needs = candidate.needs;
      return match;
    }
    allow(match.allow, candidate.method);
  }
  if (!match.allow.empty())
    match.allow += ", OPTIONS";
  return match;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const char* first = text.data() + i + 1;
    const char* last = first + 2;
    if (text.size() - i < 3 || std::from_chars(first, last, value, 16).ptr != last)
      return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

} // namespace troupe::http
