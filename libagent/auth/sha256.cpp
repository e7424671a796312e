#include "libagent/auth/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace troupe::auth {

sha256_digest sha256(std::string_view text) {
  sha256_digest digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("cannot make a SHA-256");
  return digest;
}

std::string sha256_hex(std::string_view text) {
  return fmt::format("{:02x}", fmt::join(sha256(text), ""));
}

} // namespace troupe::auth
