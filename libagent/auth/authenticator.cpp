#include "libagent/auth/authenticator.hpp"

#include "libagent/auth/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe::auth {

namespace {

constexpr std::string_view blanks = " \t";

/// What follows the scheme "Bearer", in any case (RFC 9110, section 11.1); nothing for another scheme.
std::optional<std::string_view> bearer_of(std::string_view header) {
  constexpr std::string_view scheme = "bearer";
  const auto is_same = [](char written, char wanted) { return (written | 0x20) == wanted; };
  if (header.size() <= scheme.size() || !std::equal(scheme.begin(), scheme.end(), header.begin(),
                                                    [&](char a, char b) { return is_same(b, a); }))
    return std::nullopt;
  auto shown = header.substr(scheme.size());
  if (blanks.find(shown.front()) == std::string_view::npos)
    return std::nullopt;
  shown.remove_prefix(std::min(shown.find_first_not_of(blanks), shown.size()));
  return shown;
}

bool looks_like_token(std::string_view text) {
  return std::count(text.begin(), text.end(), '.') == 2;
}

} // namespace

authenticator::authenticator(config::auth_options options)
    : options_(std::move(options)), ring_(options_.keys) {}

finding authenticator::identify(const credentials& shown, const key_set* keys,
                                std::chrono::system_clock::time_point now) const {
  if (!options_.is_required())
    return identity{};
  if (shown.authorization.empty() && shown.api_key.empty())
    return rejection{"this needs a key or a token: Authorization: Bearer ...", false};
  if (!shown.authorization.empty() && !shown.api_key.empty())
    return rejection{"Authorization and X-Api-Key are both given; send one of them"};
  const auto text = shown.api_key.empty() ? bearer_of(shown.authorization) : std::optional(shown.api_key);
  if (!text)
    return rejection{"Authorization has to be: Bearer, a blank, and a key or a token"};
  if (const auto* key = ring_.find(*text))
    return identity{key->name, key->is_operator, key};
  if (options_.jwt && shown.api_key.empty() && looks_like_token(*text))
    return identify_token(*text, keys, now);
  return rejection{"the key is not known"};
}

finding authenticator::identify_token(std::string_view token, const key_set* keys,
                                      std::chrono::system_clock::time_point now) const {
  if (keys == nullptr)
    return keys_wanted{};
  const auto& rules = *options_.jwt;
  auto checked = check_token(token, *keys, rules, now);
  if (const auto* fault = std::get_if<token_fault>(&checked)) {
    if (fault->unknown_key)
      return keys_wanted{};
    return rejection{fmt::format("the token is not good: {}", fault->reason)};
  }
  const auto& claims = std::get<token_claims>(checked);
  const auto is_operator =
      !rules.operator_role.empty() &&
      std::find(claims.roles.begin(), claims.roles.end(), rules.operator_role) != claims.roles.end();
  return identity{"jwt:" + claims.subject, is_operator, nullptr};
}

} // namespace troupe::auth
