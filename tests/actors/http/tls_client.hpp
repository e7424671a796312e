#pragma once

#include "tests/actors/http/raw_client.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace troupe::testing {

/// The same over TLS. It trusts one authority and wants the host to be 127.0.0.1.
class tls_client : public raw_client {
public:
  /// Throws if no TLS comes of it. `newest` is the version to offer at most, 0 for all.
  tls_client(std::uint16_t port, const std::string& ca_file, int newest = 0);
  ~tls_client() override;

  /// "TLSv1.3"
  std::string version() const;
  /// Says that nothing more comes, and keeps the connection.
  void say_goodbye();
  /// Whether the other side has said that nothing more comes, before it closed.
  bool was_told_goodbye();

protected:
  long take(char* into, std::size_t most) override;
  long put(const char* from, std::size_t most) override;

private:
  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<ssl_st> tls_;
};

} // namespace troupe::testing
