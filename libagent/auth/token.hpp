#pragma once

#include "libagent/auth/key_set.hpp"
#include "libagent/config/server_security.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::auth {

/// What a token that is good says.
struct token_claims {
  std::string subject;
  std::vector<std::string> roles;
};

/// Why a token is not good: half a sentence that may be shown to whoever sent it.
struct token_fault {
  std::string reason;
  /// Its key is none of those that are known; newer ones might have it.
  bool unknown_key = false;
};

/// Checks a JSON Web Token (RFC 7519, RFC 8725): one signed by RS256 or ES256 with a key of the set, of the
/// right issuer, for us, not expired and not for later. Header parameters that point to keys (`jku`, `jwk`,
/// `x5u`, `x5c`) mean nothing; critical ones (`crit`) are refused.
std::variant<token_claims, token_fault> check_token(std::string_view token, const key_set& keys,
                                                    const config::jwt_options& rules,
                                                    std::chrono::system_clock::time_point now);

} // namespace troupe::auth
