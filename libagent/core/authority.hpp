#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// The host and port of a URL or a `Host` header (RFC 3986, section 3.2, without user information).
struct authority {
  /// In lower case, without the brackets of an IPv6 address and without a final full stop.
  std::string host;
  std::optional<std::uint16_t> port{};
  friend bool operator==(const authority&, const authority&) = default;
};

/// Nothing for what is none: an empty host, a port out of range, characters that no host has.
std::optional<authority> parse_authority(std::string_view text);

/// Whether only this machine reaches the host: `localhost`, names under it, 127.0.0.0/8 and ::1. Names are
/// not looked up.
bool is_loopback(std::string_view host);

/// Whether a socket can listen there without a name being looked up: `localhost`, or an IP address, an IPv6
/// one perhaps in brackets or with its interface (`fe80::1%eth0`).
bool can_listen_on(std::string_view host);

} // namespace troupe
