#include "tests/actors/http/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <stdexcept>

namespace troupe::testing {

tls_client::tls_client(std::uint16_t port, const std::string& ca_file, int newest)
    : raw_client(port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  ERR_clear_error();
  SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_min_proto_version(context_.get(), 0);
  SSL_CTX_set_max_proto_version(context_.get(), newest);
  // Old versions need it.
  SSL_CTX_set_security_level(context_.get(), 0);
  tls_.reset(SSL_new(context_.get()), SSL_free);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), "127.0.0.1");
  SSL_set_fd(tls_.get(), descriptor());
  if (SSL_connect(tls_.get()) == 1)
    return;
  const auto* reason = ERR_reason_error_string(ERR_get_error());
  throw std::runtime_error(reason == nullptr ? "the connection was closed" : reason);
}

tls_client::~tls_client() = default;

std::string tls_client::version() const {
  return SSL_get_version(tls_.get());
}

void tls_client::say_goodbye() {
  SSL_shutdown(tls_.get());
}

bool tls_client::was_told_goodbye() {
  return closed_by_peer() && (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

long tls_client::take(char* into, std::size_t most) {
  errno = 0;
  const auto length = SSL_read(tls_.get(), into, static_cast<int>(most));
  if (length > 0)
    return length;
  return errno == EAGAIN ? -1 : 0;
}

long tls_client::put(const char* from, std::size_t most) {
  return SSL_write(tls_.get(), from, static_cast<int>(most));
}

} // namespace troupe::testing
