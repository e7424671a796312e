#include "tests/libagent/auth/token_maker.hpp"

#include "libagent/auth/base64url.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace troupe::testing {

namespace {

using auth::encode_base64url;

std::string bytes_of(const BIGNUM* value, std::size_t width) {
  std::vector<unsigned char> bytes(width == 0 ? static_cast<std::size_t>(BN_num_bytes(value)) : width);
  if (BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size())) < 0)
    throw std::runtime_error("a number does not fit");
  return {bytes.begin(), bytes.end()};
}

std::string raw_of_der(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  return bytes_of(ECDSA_SIG_get0_r(parts.get()), 32) + bytes_of(ECDSA_SIG_get0_s(parts.get()), 32);
}

} // namespace

signer::signer(evp_pkey_st* key) : key_(key, EVP_PKEY_free), is_ec_(EVP_PKEY_is_a(key, "EC") == 1) {}

signer signer::rsa(unsigned bits) {
  return signer(EVP_RSA_gen(bits));
}

signer signer::ec(const char* curve) {
  return signer(EVP_EC_gen(curve));
}

std::string signer::number(const char* name, std::size_t width) const {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key_.get(), name, &value) != 1)
    throw std::runtime_error("the key has no such number");
  const auto bytes = bytes_of(value, width);
  BN_free(value);
  return encode_base64url(bytes);
}

json signer::jwk(const std::string& kid) const {
  if (!is_ec_)
    return {{"kty", "RSA"},
            {"kid", kid},
            {"n", number(OSSL_PKEY_PARAM_RSA_N, 0)},
            {"e", number(OSSL_PKEY_PARAM_RSA_E, 0)}};
  const auto bits = EVP_PKEY_get_bits(key_.get());
  const auto width = static_cast<std::size_t>(bits / 8);
  return {{"kty", "EC"},
          {"crv", bits == 256 ? "P-256" : "P-384"},
          {"kid", kid},
          {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, width)},
          {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, width)}};
}

std::string signer::sign_plain(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t length = 0;
  EVP_DigestSign(context.get(), nullptr, &length, data, text.size());
  std::vector<unsigned char> signature(length);
  if (EVP_DigestSign(context.get(), signature.data(), &length, data, text.size()) != 1)
    throw std::runtime_error("cannot sign");
  return {signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(length)};
}

std::string signer::sign(std::string_view text) const {
  return is_ec_ ? raw_of_der(sign_plain(text)) : sign_plain(text);
}

std::string signer::pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PUBKEY(out.get(), key_.get());
  char* data = nullptr;
  const auto length = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

std::string signer::token(const json& header, const json& claims) const {
  return raw_token(header.dump(), claims.dump());
}

std::string signer::raw_token(std::string_view header, std::string_view claims) const {
  const auto text = encode_base64url(header) + "." + encode_base64url(claims);
  return text + "." + encode_base64url(sign(text));
}

std::string key_set_of(std::initializer_list<json> keys) {
  return json{{"keys", json(json::array_t(keys))}}.dump();
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> digest{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), nullptr);
  return {digest.begin(), digest.end()};
}

} // namespace troupe::testing
