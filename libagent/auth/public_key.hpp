#pragma once

#include <memory>
#include <string_view>

struct evp_pkey_st;

/// OpenSSL's public keys, made of numbers and used. Nothing is left in its queue of errors, which TLS on the
/// same thread would take for its own.
namespace troupe::auth {

/// Of the big-endian modulus and exponent; null if they are no key or one of a size that is not allowed.
std::shared_ptr<evp_pkey_st> make_rsa_key(std::string_view modulus, std::string_view exponent);
/// Of a point on P-256, 32 bytes each; null if it is none.
std::shared_ptr<evp_pkey_st> make_p256_key(std::string_view x, std::string_view y);

/// RSASSA-PKCS1-v1_5 with SHA-256.
bool verify_rs256(evp_pkey_st& key, std::string_view text, std::string_view signature);
/// ECDSA with SHA-256; the signature is r and s, 32 bytes each, and never DER (RFC 7518, section 3.4).
bool verify_es256(evp_pkey_st& key, std::string_view text, std::string_view signature);

} // namespace troupe::auth
