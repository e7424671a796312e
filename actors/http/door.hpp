#pragma once

#include "actors/http/answer.hpp"
#include "actors/http/origins.hpp"
#include "actors/http/visitor.hpp"
#include "libagent/auth/authenticator.hpp"
#include "libagent/auth/rate_limits.hpp"

#include <chrono>
#include <variant>

namespace troupe::http {

/// What becomes of a request before anybody looks at what it wants: it is from somebody who may come in, is
/// refused, or cannot be told from others by the keys that are there.
using entry = std::variant<auth::identity, answer, auth::keys_wanted>;

/// Lets requests in, or not: by host and origin, by key or token, by the key's rate, and by the role that the
/// route is for. Knows no network and no clock. One thread at a time.
class door {
public:
  struct times {
    std::chrono::system_clock::time_point wall;
    std::chrono::steady_clock::time_point steady;
  };

  explicit door(const config::server_options& options);

  /// `keys` are those of tokens; null while there are none.
  entry admit(const visitor& from, const auth::key_set* keys, const times& now);
  /// The same for a request whose body has not come: counts for no rate, and refuses bodies of unknown people
  /// where anybody may come in, once there are keys.
  entry look(const visitor& from, const auth::key_set* keys, const times& now);
  /// Goes with every answer to that request.
  header_lines cors_headers(const visitor& from) const { return origins_.cors_headers(from); }

  /// Refuses a token for good whose key is unknown: 401, or 503 while there are no keys at all.
  static answer refuse_token(bool has_keys);

private:
  /// The answer to who comes from, or means to go, where it must not, and to browsers that ask in advance.
  std::optional<answer> answer_origin(const visitor& from) const;
  entry identify(const visitor& from, const auth::key_set* keys, const times& now);
  std::optional<answer> refuse_rate(const auth::identity& who, const times& now);

  origins origins_;
  bool asks_who_;
  auth::authenticator authenticator_;
  auth::rate_limits rates_;
};

} // namespace troupe::http
