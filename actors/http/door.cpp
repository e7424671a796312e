#include "actors/http/door.hpp"

#include "actors/http/routes.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::http {

namespace {

/// RFC 6750, section 3: what was wrong is told only to who has shown something.
answer refuse_credentials(const auth::rejection& why) {
  auto refusal = refuse(401, "unauthenticated", why.reason);
  refusal.headers.emplace_back("WWW-Authenticate", why.is_invalid
                                                       ? R"(Bearer realm="troupe", error="invalid_token")"
                                                       : R"(Bearer realm="troupe")");
  return refusal;
}

answer refuse_twice(std::string_view header) {
  return refuse(400, "bad_request", fmt::format("there is more than one header {}", header));
}

} // namespace

door::door(const config::server_options& options)
    : origins_(options), asks_who_(options.auth.is_required()), authenticator_(options.auth),
      rates_(options.auth.keys) {}

std::optional<answer> door::answer_origin(const visitor& from) const {
  if (auto refusal = origins_.refuse_host(from))
    return refusal;
  if (auto refusal = origins_.refuse_origin(from))
    return refusal;
  // Browsers ask without credentials.
  return origins_.answer_preflight(from);
}

entry door::look(const visitor& from, const auth::key_set* keys, const times& now) {
  if (auto at_once = answer_origin(from))
    return std::move(*at_once);
  if (asks_who_ && find_route(from.method, from.target).needs == access::anybody)
    return refuse(413, "body_too_large", "nothing here takes a body of whom nobody knows");
  return identify(from, keys, now);
}

entry door::admit(const visitor& from, const auth::key_set* keys, const times& now) {
  if (auto at_once = answer_origin(from))
    return std::move(*at_once);
  const auto match = find_route(from.method, from.target);
  if (match.needs == access::anybody)
    return auth::identity{{}, false, nullptr};
  auto found = identify(from, keys, now);
  const auto* who = std::get_if<auth::identity>(&found);
  if (who == nullptr)
    return found;
  if (auto refusal = refuse_rate(*who, now))
    return std::move(*refusal);
  if (match.needs == access::operators && !who->is_operator)
    return refuse(403, "forbidden", "this is for operators");
  return found;
}

entry door::identify(const visitor& from, const auth::key_set* keys, const times& now) {
  if (from.authorization.count > 1)
    return refuse_twice("Authorization");
  if (from.api_key.count > 1)
    return refuse_twice("X-Api-Key");
  auto found = authenticator_.identify({from.authorization.value, from.api_key.value}, keys, now.wall);
  if (const auto* why = std::get_if<auth::rejection>(&found))
    return refuse_credentials(*why);
  if (std::holds_alternative<auth::keys_wanted>(found))
    return auth::keys_wanted{};
  return std::get<auth::identity>(std::move(found));
}

std::optional<answer> door::refuse_rate(const auth::identity& who, const times& now) {
  if (who.key == nullptr)
    return std::nullopt;
  const auto wait = rates_.take(who.key->name, now.steady);
  if (wait <= wait.zero())
    return std::nullopt;
  auto refusal = refuse(429, "rate_limited",
                        fmt::format("the key may make {} requests a minute", *who.key->requests_per_minute));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  // Instead of the second that all who are refused for too much are told.
  for (auto& [name, text] : refusal.headers)
    if (name == "Retry-After")
      text = std::to_string(seconds);
  return refusal;
}

answer door::refuse_token(bool has_keys) {
  if (has_keys)
    return refuse_credentials({"the token is not good: its key ('kid') is not known"});
  return refuse(503, "no_token_keys",
                "the keys that tokens are checked with cannot be fetched at the moment");
}

} // namespace troupe::http
