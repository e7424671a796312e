#pragma once

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <string>

namespace troupe::test {

/// A certificate authority made for one test, with a certificate for one host.
class certificates {
public:
  /// `subject_alternative`: "DNS:localhost" or "IP:127.0.0.1".
  explicit certificates(const std::string& subject_alternative);
  ~certificates();

  /// The authority's certificate, as a PEM file.
  std::string ca_file() const;
  /// The host's certificate and its key, as PEM files.
  std::string host_file() const;
  std::string key_file() const;
  /// Where these files are.
  const std::filesystem::path& folder() const noexcept { return folder_; }
  /// What a server needs to present the host's certificate.
  boost::asio::ssl::context server_context() const;

private:
  std::filesystem::path folder_;
};

} // namespace troupe::test
