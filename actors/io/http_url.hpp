#pragma once

#include "libagent/core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::io {

/// Where an HTTP API lives: an origin and the path below which its endpoints are.
struct http_url {
  bool tls = false;
  /// Lower case, without brackets.
  std::string host;
  std::uint16_t port = 0;
  /// Begins with a slash and ends with none; empty for the root.
  std::string path;
};

/// Takes "http://..." and "https://..." with host, optional port and path. Error `invalid_argument` for
/// anything else, user info, query and fragment included; its detail never repeats user info.
result<http_url> parse_http_url(std::string_view text);

/// "host:port", with brackets around an IPv6 address (RFC 3986, section 3.2.2).
std::string host_and_port(std::string_view host, std::uint16_t port);
/// Value of the Host header: the port only where it is not the scheme's default (RFC 9110, section 7.2).
std::string host_header(const http_url& url);

/// Splits "host", "host:port", "[v6]" or "[v6]:port"; port 0 means none was given. Error
/// `invalid_argument` if it is neither.
struct host_port {
  std::string host;
  std::uint16_t port = 0;
};
result<host_port> parse_host_port(std::string_view text);

} // namespace troupe::io
