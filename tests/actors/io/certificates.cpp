#include "tests/actors/io/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <cstdlib>

namespace troupe::test {
namespace {

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using file_ptr = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

key_ptr make_key() {
  return {EVP_EC_gen("P-256"), EVP_PKEY_free};
}

void add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  if (extension == nullptr)
    throw std::runtime_error("cannot make a certificate extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Unsigned; its own issuer if `issuer` is null.
certificate_ptr make_certificate(const char* name, EVP_PKEY* key, const X509* issuer) {
  certificate_ptr made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  auto* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1,
                             -1, 0);
  X509_set_issuer_name(made.get(), issuer == nullptr ? subject : X509_get_subject_name(issuer));
  add_extension(made.get(), NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  return made;
}

void write_pem(const std::filesystem::path& path, X509* certificate, EVP_PKEY* key) {
  file_ptr file(std::fopen(path.c_str(), "w"), std::fclose);
  if (certificate != nullptr)
    PEM_write_X509(file.get(), certificate);
  if (key != nullptr)
    PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

} // namespace

certificates::certificates(const std::string& subject_alternative) {
  std::string pattern = (std::filesystem::temp_directory_path() / "troupe-tls-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("cannot make a folder");
  folder_ = pattern;
  auto ca_key = make_key();
  auto ca = make_certificate("Test authority", ca_key.get(), nullptr);
  X509_sign(ca.get(), ca_key.get(), EVP_sha256());
  auto key = make_key();
  auto leaf = make_certificate("Test host", key.get(), ca.get());
  add_extension(leaf.get(), NID_subject_alt_name, subject_alternative.c_str());
  X509_sign(leaf.get(), ca_key.get(), EVP_sha256());
  write_pem(folder_ / "ca.pem", ca.get(), nullptr);
  write_pem(folder_ / "host.pem", leaf.get(), nullptr);
  write_pem(folder_ / "host.key", nullptr, key.get());
}

certificates::~certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string certificates::ca_file() const {
  return folder_ / "ca.pem";
}

std::string certificates::host_file() const {
  return folder_ / "host.pem";
}

std::string certificates::key_file() const {
  return folder_ / "host.key";
}

boost::asio::ssl::context certificates::server_context() const {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
  context.use_certificate_file((folder_ / "host.pem").string(), boost::asio::ssl::context::pem);
  context.use_private_key_file((folder_ / "host.key").string(), boost::asio::ssl::context::pem);
  return context;
}

} // namespace troupe::test
