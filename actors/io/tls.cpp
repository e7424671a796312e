#include "actors/io/tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace troupe::io {

namespace ssl = boost::asio::ssl;

result<std::shared_ptr<ssl::context>> make_tls_context(const std::string& ca_file) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  auto* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Idle connections give their buffers back; writes may be repeated from another address.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  boost::system::error_code ec;
  context->set_verify_mode(ssl::verify_peer, ec);
  if (!ec)
    context->set_default_verify_paths(ec);
  if (ec)
    return fail(errc::io_failed, "cannot load the system's certificates: " + ec.message());
  if (!ca_file.empty() && context->load_verify_file(ca_file, ec))
    return fail(errc::invalid_argument,
                fmt::format("cannot load certificates from {}: {}", ca_file, ec.message()));
  return context;
}

void expect_host(tls_stream& stream, const std::string& host) {
  auto* native = stream.native_handle();
  auto* checks = SSL_get0_param(native);
  boost::system::error_code ec;
  boost::asio::ip::make_address(host, ec);
  if (!ec) {
    // RFC 6066 allows no addresses in SNI.
    X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str());
    return;
  }
  X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM_set1_host(checks, host.c_str(), host.size());
  SSL_set_tlsext_host_name(native, host.c_str());
}

std::string describe_tls_failure(tls_stream& stream, const boost::system::error_code& ec) {
  auto verdict = SSL_get_verify_result(stream.native_handle());
  if (verdict != X509_V_OK)
    return fmt::format("TLS: certificate verify failed ({})", X509_verify_cert_error_string(verdict));
  if (ec == boost::asio::error::eof || ec == ssl::error::stream_truncated ||
      ec == boost::asio::error::connection_reset)
    return "TLS: the peer closed the connection in the handshake";
  if (ec.category() == boost::asio::error::get_ssl_category())
    if (const auto* reason = ERR_reason_error_string(static_cast<unsigned long>(ec.value())))
      return fmt::format("TLS: {}", reason);
  return "TLS: " + ec.message();
}

} // namespace troupe::io
