#pragma once

#include "libagent/auth/sha256.hpp"
#include "libagent/config/server_security.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::auth {

/// The key that stands for 256 random bits: "trp_" and 43 characters of base64url.
std::string new_api_key(const std::array<unsigned char, 32>& random);

/// What the agent file has of a key: its SHA-256 in hexadecimal digits. Keys are random bits and no words, so
/// that a slow hash would guard against nothing.
std::string hash_of_key(std::string_view key);

/// Finds the keys of an agent file again. Immutable.
class key_ring {
public:
  explicit key_ring(const std::vector<config::api_key_options>& keys);

  /// Null if nobody has that key. Takes as long wherever the key stands, and however much of a hash is right.
  /// The pointer lives as long as the ring.
  const config::api_key_options* find(std::string_view shown) const;

private:
  std::vector<config::api_key_options> keys_;
  std::vector<sha256_digest> hashes_;
};

} // namespace troupe::auth
