#pragma once

#include "libagent/core/json.hpp"

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace troupe::testing {

/// A key pair made for a test, and what is signed with it.
class signer {
public:
  /// Of so many bits.
  static signer rsa(unsigned bits = 2048);
  /// "P-256" or "P-384".
  static signer ec(const char* curve = "P-256");

  /// The public key as a member of a JWK Set, with a `kid`.
  json jwk(const std::string& kid) const;
  /// The signature as tokens have it: PKCS1 v1.5, or r and s.
  std::string sign(std::string_view text) const;
  /// What OpenSSL makes: for EC, DER.
  std::string sign_plain(std::string_view text) const;
  /// The public key as PEM.
  std::string pem() const;

  /// A token of this header and these claims.
  std::string token(const json& header, const json& claims) const;
  /// The same of texts as they are.
  std::string raw_token(std::string_view header, std::string_view claims) const;

private:
  explicit signer(evp_pkey_st* key);
  std::string number(const char* name, std::size_t width) const;

  std::shared_ptr<evp_pkey_st> key_;
  bool is_ec_ = false;
};

/// `{"keys":[...]}`
std::string key_set_of(std::initializer_list<json> keys);

/// HMAC with SHA-256.
std::string hmac(std::string_view key, std::string_view text);

} // namespace troupe::testing
