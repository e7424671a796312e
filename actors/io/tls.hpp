#pragma once

#include "libagent/core/result.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <string>

namespace troupe::io {

using tls_stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// A context for clients: TLS 1.2 or later, peers verified against the system's store and, if given, the
/// certificates of a PEM file. Error `invalid_argument` if that file cannot be read.
result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const std::string& ca_file);

/// Sets what the handshake asks for and checks: SNI and the name (or address) in the certificate.
void expect_host(tls_stream& stream, const std::string& host);

/// "TLS: certificate verify failed (self-signed certificate)"; `stream` had the failed handshake.
std::string describe_tls_failure(tls_stream& stream, const boost::system::error_code& ec);

} // namespace troupe::io
