#include "actors/http/server_tls.hpp"

#include <boost/system/error_code.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

namespace troupe::http {

namespace ssl = boost::asio::ssl;

namespace {

/// The reason of the oldest error, which the others follow from; the queue is empty afterwards.
std::string take_reason() {
  const auto code = ERR_peek_error();
  const auto* text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text == nullptr ? "unknown reason" : text;
}

error unusable(std::string_view what, const std::filesystem::path& file, std::string_view why) {
  return fail(errc::invalid_config, fmt::format("cannot use the {} {}: {}", what, file.string(), why));
}

/// What the system says of a file that cannot be read; empty if it can.
std::string trouble_with(const std::filesystem::path& file) {
  auto code = std::error_code{};
  if (std::filesystem::is_directory(file, code))
    return "it is a folder";
  errno = 0;
  const std::ifstream stream(file);
  return stream ? "" : std::strerror(errno != 0 ? errno : EIO);
}

} // namespace

result<std::shared_ptr<ssl::context>> make_server_tls(const config::tls_options& files) {
  for (const auto& [what, file] :
       {std::pair<std::string_view, const std::filesystem::path&>{"certificate", files.certificate},
        std::pair<std::string_view, const std::filesystem::path&>{"key", files.key}})
    if (const auto why = trouble_with(file); !why.empty())
      return unusable(what, file, why);
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections give their buffers back; writes may be repeated from another address.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Nobody is there to type a password.
  SSL_CTX_set_default_passwd_cb(native, [](char*, int, int, void*) { return 0; });
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(native, files.certificate.c_str()) != 1)
    return unusable("certificate", files.certificate,
                    fmt::format("no certificate in PEM form can be read from it ({})", take_reason()));
  if (SSL_CTX_use_PrivateKey_file(native, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("key", files.key,
                    fmt::format("no private key in PEM form, without a password, can be read from it ({})",
                                take_reason()));
  if (SSL_CTX_check_private_key(native) != 1)
    return unusable("key", files.key, fmt::format("it is not the key of {}", files.certificate.string()));
  return context;
}

} // namespace troupe::http
