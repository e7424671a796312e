#pragma once

#include "libagent/core/result.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace troupe::auth {

/// How tokens are signed (RFC 7518, section 3.1); there are no others, "none" and HMAC least of all.
enum class algorithm { rs256, es256 };

/// Nothing for a name that is none of these.
std::optional<algorithm> algorithm_of(std::string_view name) noexcept;

/// The public keys of whoever makes tokens. Each is for one algorithm, whatever a token says. Immutable.
class key_set {
public:
  /// Reads a JWK Set (RFC 7517): RSA keys of 2048 to 8192 bits for RS256, keys on P-256 for ES256. What is
  /// for something else is left out. Error `invalid_argument` if it is no JWK Set or nothing is left of it.
  static result<key_set> parse(std::string_view jwks);

  enum class verdict { good, bad, unknown_key };
  /// Checks a signature as it stands in a token. Without a `kid` there has to be exactly one key for the
  /// algorithm.
  verdict verify(algorithm by, const std::optional<std::string>& kid, std::string_view signed_text,
                 std::string_view signature) const;

  std::size_t size() const noexcept { return keys_.size(); }

private:
  struct entry {
    algorithm by;
    std::optional<std::string> kid;
    std::shared_ptr<evp_pkey_st> value;
  };
  const entry* find(algorithm by, const std::optional<std::string>& kid) const;

  std::vector<entry> keys_;
};

} // namespace troupe::auth
