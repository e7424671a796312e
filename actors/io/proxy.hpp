#pragma once

#include "actors/io/http_client.hpp"
#include "actors/io/http_url.hpp"
#include "libagent/core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::io {

/// An HTTP proxy that is asked for a tunnel (CONNECT; RFC 9110, section 9.3.6).
struct proxy {
  std::string host;
  std::uint16_t port = 0;
  /// Value of Proxy-Authorization, or empty. A secret.
  std::string authorization;
};

/// Takes "http://[user[:password]@]host[:port]", the scheme optional, port 80 if not given. Error
/// `invalid_argument` for other schemes; its detail never repeats the URL.
result<proxy> parse_proxy(std::string_view url);

/// The proxy for `target` by the client's options; none if it is to be reached directly.
result<std::optional<proxy>> select_proxy(const http_client_options& options, const http_url& target);

/// True if an entry of the comma-separated list names the target: `*`; a domain, with or without a leading
/// dot or "*.", for itself and all below it; an IP address; a network in CIDR form. An entry that ends in
/// ":port" counts for that port only.
bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port);

} // namespace troupe::io
