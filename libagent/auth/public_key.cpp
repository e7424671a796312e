#include "libagent/auth/public_key.hpp"

#include "libagent/auth/defaults.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string>

namespace troupe::auth {

namespace {

template <class T, void (*Free)(T*)>
struct freer {
  void operator()(T* value) const { Free(value); }
};
template <class T, void (*Free)(T*)>
using handle = std::unique_ptr<T, freer<T, Free>>;

using number = handle<BIGNUM, BN_free>;
using param_builder = handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using param_list = handle<OSSL_PARAM, OSSL_PARAM_free>;
using key_context = handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using digest_context = handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using ecdsa_signature = handle<ECDSA_SIG, ECDSA_SIG_free>;

struct clean_errors {
  clean_errors() = default;
  clean_errors(const clean_errors&) = delete;
  clean_errors& operator=(const clean_errors&) = delete;
  ~clean_errors() { ERR_clear_error(); }
};

constexpr std::size_t coordinate_bytes = 32;
/// Bits of an RSA exponent; all keys in use have 17 or fewer, and large ones make a check slow.
constexpr int most_exponent_bits = 32;

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

number number_of(std::string_view bytes) {
  return number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::shared_ptr<evp_pkey_st> make_key(const char* type, OSSL_PARAM_BLD* parts) {
  const param_list params(OSSL_PARAM_BLD_to_param(parts));
  const key_context maker(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !maker || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  std::shared_ptr<evp_pkey_st> key(made, EVP_PKEY_free);
  const key_context checker(EVP_PKEY_CTX_new(made, nullptr));
  return checker && EVP_PKEY_public_check(checker.get()) == 1 ? key : nullptr;
}

bool verify(evp_pkey_st& key, std::string_view text, std::string_view signature) {
  const digest_context context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

/// As OpenSSL wants it; empty if it cannot be written so.
std::string to_der(std::string_view raw) {
  const ecdsa_signature parts(ECDSA_SIG_new());
  auto r = number_of(raw.substr(0, coordinate_bytes));
  auto s = number_of(raw.substr(coordinate_bytes));
  if (!parts || !r || !s || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1)
    return {};
  // They belong to the signature now.
  [[maybe_unused]] const auto* owned = (r.release(), s.release());
  unsigned char* der = nullptr;
  const auto length = i2d_ECDSA_SIG(parts.get(), &der);
  if (length <= 0)
    return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return text;
}

} // namespace

std::shared_ptr<evp_pkey_st> make_rsa_key(std::string_view modulus, std::string_view exponent) {
  const clean_errors at_the_end;
  if (modulus.size() > defaults::most_rsa_bits / 8 + 1 || exponent.size() > 16)
    return nullptr;
  const auto n = number_of(modulus);
  const auto e = number_of(exponent);
  if (!n || !e || BN_num_bits(n.get()) < defaults::least_rsa_bits ||
      BN_num_bits(n.get()) > defaults::most_rsa_bits || !BN_is_odd(n.get()) || !BN_is_odd(e.get()) ||
      BN_is_one(e.get()) || BN_num_bits(e.get()) > most_exponent_bits)
    return nullptr;
  const param_builder parts(OSSL_PARAM_BLD_new());
  if (!parts || OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return make_key("RSA", parts.get());
}

std::shared_ptr<evp_pkey_st> make_p256_key(std::string_view x, std::string_view y) {
  const clean_errors at_the_end;
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes)
    return nullptr;
  const auto point = "\x04" + std::string(x) + std::string(y);
  const param_builder parts(OSSL_PARAM_BLD_new());
  if (!parts ||
      OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return make_key("EC", parts.get());
}

bool verify_rs256(evp_pkey_st& key, std::string_view text, std::string_view signature) {
  const clean_errors at_the_end;
  return verify(key, text, signature);
}

bool verify_es256(evp_pkey_st& key, std::string_view text, std::string_view signature) {
  const clean_errors at_the_end;
  if (signature.size() != 2 * coordinate_bytes)
    return false;
  const auto der = to_der(signature);
  return !der.empty() && verify(key, text, der);
}

} // namespace troupe::auth
