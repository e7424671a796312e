#pragma once

#include "libagent/config/server_security.hpp"
#include "libagent/core/result.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace troupe::http {

/// A context for a server: TLS 1.2 or later, without renegotiation. Error `invalid_config` names the file
/// that cannot be used and says why; a key has to be the certificate's, and must not have a password.
result<std::shared_ptr<boost::asio::ssl::context>> make_server_tls(const config::tls_options& files);

} // namespace troupe::http
