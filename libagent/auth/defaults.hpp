#pragma once

#include <chrono>
#include <cstddef>

/// Bounds of what clients show and of the keys that tokens are checked with.
namespace troupe::auth::defaults {

/// Bytes of a key; those that Troupe makes have 47.
inline constexpr std::size_t longest_key = 512;
/// Bytes of a token; providers keep them under 4 KiB, so that they fit into headers.
inline constexpr std::size_t longest_token = 8u << 10;
/// Bytes of a subject; OpenID Connect allows 255.
inline constexpr std::size_t longest_subject = 255;
/// Depth of a token's JSON.
inline constexpr std::size_t token_depth = 8;

/// Bytes of a JWK Set, and keys in it that are looked at.
inline constexpr std::size_t largest_jwks = 256u << 10;
inline constexpr std::size_t most_keys = 100;
/// Bits of an RSA key. RFC 7518, section 3.3, asks for 2048; what is larger costs much to verify.
inline constexpr int least_rsa_bits = 2048;
inline constexpr int most_rsa_bits = 8192;

/// Between two tries to fetch keys because of a token whose key is unknown.
inline constexpr std::chrono::seconds refetch_pause{60};
/// The same while there are no keys at all, so that nobody comes in.
inline constexpr std::chrono::seconds first_fetch_pause{5};
/// Keys that are older are fetched again, so that those that were withdrawn go.
inline constexpr std::chrono::hours jwks_age{1};

} // namespace troupe::auth::defaults
