#include "libagent/auth/api_key.hpp"

#include "libagent/auth/base64url.hpp"
#include "libagent/auth/defaults.hpp"

#include <openssl/crypto.h>

#include <stdexcept>

namespace troupe::auth {

namespace {

unsigned char nibble(char digit) noexcept {
  return static_cast<unsigned char>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/// Of 64 digits, as the agent file has checked.
sha256_digest parse_digest(std::string_view digits) {
  sha256_digest digest{};
  if (digits.size() != 2 * digest.size())
    throw std::invalid_argument("the hash of a key does not have 64 digits");
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<unsigned char>(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
  return digest;
}

} // namespace

std::string new_api_key(const std::array<unsigned char, 32>& random) {
  return "trp_" + encode_base64url({reinterpret_cast<const char*>(random.data()), random.size()});
}

std::string hash_of_key(std::string_view key) {
  return sha256_hex(key);
}

key_ring::key_ring(const std::vector<config::api_key_options>& keys) : keys_(keys) {
  for (const auto& key : keys_)
    hashes_.push_back(parse_digest(key.hash));
}

const config::api_key_options* key_ring::find(std::string_view shown) const {
  if (shown.empty() || shown.size() > defaults::longest_key)
    return nullptr;
  const auto digest = sha256(shown);
  std::size_t found = keys_.size();
  for (std::size_t i = 0; i < hashes_.size(); ++i)
    if (CRYPTO_memcmp(hashes_[i].data(), digest.data(), digest.size()) == 0)
      found = i;
  return found < keys_.size() ? &keys_[found] : nullptr;
}

} // namespace troupe::auth
