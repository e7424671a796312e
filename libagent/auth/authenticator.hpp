#pragma once

#include "libagent/auth/api_key.hpp"
#include "libagent/auth/key_set.hpp"
#include "libagent/config/server_security.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

namespace troupe::auth {

/// Whom a request comes from.
struct identity {
  /// A key's name, or "jwt:" and the subject of a token, which no key can be named. Empty where nobody has to
  /// say who they are.
  std::string subject{};
  bool is_operator = true;
  /// What the key allows; null where there is none. Lives as long as the authenticator.
  const config::api_key_options* key = nullptr;
};

/// What a request shows; both may be empty.
struct credentials {
  /// The header `Authorization`.
  std::string_view authorization{};
  /// The header `X-Api-Key`.
  std::string_view api_key{};
};

/// Nobody is let in by this.
struct rejection {
  /// One sentence without a final full stop; never what was shown.
  std::string reason;
  /// Something was shown, and it is not good.
  bool is_invalid = true;
};

/// A token cannot be told good or bad by the keys that are there.
struct keys_wanted {};

using finding = std::variant<identity, rejection, keys_wanted>;

/// Finds out who asks. Immutable.
class authenticator {
public:
  explicit authenticator(config::auth_options options);

  /// `keys` are those of tokens; null while there are none.
  finding identify(const credentials& shown, const key_set* keys,
                   std::chrono::system_clock::time_point now) const;

private:
  finding identify_token(std::string_view token, const key_set* keys,
                         std::chrono::system_clock::time_point now) const;

  config::auth_options options_;
  key_ring ring_;
};

} // namespace troupe::auth
