#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The REST front end: routes, decoding and answers are pure; `server` puts them on the wire.
namespace troupe::http {

/// What a route does.
enum class endpoint : std::uint8_t {
  health,
  agents,
  mcp,
  system,
  metrics,
  chat,
  run,
  resume_run,
  cancel_run,
  run_events,
  session,
  forget_session,
  openapi
};

/// Whom a route is for, once anybody has to say who they are.
enum class access : std::uint8_t { anybody, users, operators };

struct route {
  std::string_view method;
  /// As OpenAPI writes it, e.g. "/api/v1/runs/{run_id}/resume"; one parameter at the most.
  std::string_view path;
  endpoint what;
  access needs = access::users;
};

/// All routes. HEAD is answered wherever GET is, OPTIONS everywhere.
std::span<const route> routes() noexcept;

struct route_match {
  /// Where the request goes; nothing if the path has no such method.
  std::optional<endpoint> what;
  /// The methods of the path, as in the header `Allow`; empty if there is no such path.
  std::string allow;
  /// What stands in the place of the path's parameter, still percent-encoded. Part of the target.
  std::string_view parameter;
  /// Of the route; `users` if there is none.
  access needs = access::users;
};

/// Finds a route. The target is as on the request line: a query is ignored, the absolute form is understood.
/// A trailing slash makes another path.
route_match find_route(std::string_view method, std::string_view target);

/// The path of a request target, without query.
std::string_view path_of(std::string_view target) noexcept;

/// Decodes %XX; nothing if a `%` is not followed by two hexadecimal digits (RFC 3986, section 2.1).
std::optional<std::string> percent_decode(std::string_view text);

} // namespace troupe::http
