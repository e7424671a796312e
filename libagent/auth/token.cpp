#include "libagent/auth/token.hpp"

#include "libagent/auth/base64url.hpp"
#include "libagent/auth/defaults.hpp"
#include "libagent/auth/unique_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace troupe::auth {

namespace {

using seconds = std::chrono::duration<double>;

struct parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  /// The first two with the full stop between.
  std::string_view signed_text;
};

std::optional<parts> split(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  return parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

std::optional<json> decode_object(std::string_view part) {
  const auto text = decode_base64url(part);
  return text ? parse_unique(*text, defaults::token_depth) : std::nullopt;
}

token_fault malformed() {
  return {"it is no signed JSON Web Token"};
}

/// Other kinds of token, such as one for signing out, are no access.
bool is_access_type(const json& header) {
  const auto* type = find(header, "typ");
  if (type == nullptr)
    return true;
  auto name = type->is_string() ? type->get<std::string>() : std::string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::string_view prefix = "application/";
  if (name.starts_with(prefix))
    name.erase(0, prefix.size());
  return name == "jwt" || name == "at+jwt";
}

std::optional<token_fault> fault_of_signature(const json& header, const parts& token, const key_set& keys) {
  const auto* name = find_string(header, "alg");
  const auto by = name == nullptr ? std::nullopt : algorithm_of(*name);
  if (!by)
    return token_fault{"it is not signed by RS256 or ES256"};
  if (header.contains("crit"))
    return token_fault{"it asks for an extension ('crit') that is not understood"};
  if (!is_access_type(header))
    return token_fault{"it is another kind of token ('typ')"};
  const auto* kid = find(header, "kid");
  if (kid != nullptr && !kid->is_string())
    return malformed();
  const auto signature = decode_base64url(token.signature);
  if (!signature)
    return malformed();
  const auto wanted = kid == nullptr ? std::nullopt : std::optional(kid->get<std::string>());
  switch (keys.verify(*by, wanted, token.signed_text, *signature)) {
  case key_set::verdict::good:
    return std::nullopt;
  case key_set::verdict::unknown_key:
    return token_fault{"its key ('kid') is not known", true};
  case key_set::verdict::bad:
    break;
  }
  return token_fault{"its signature is wrong"};
}

bool is_for(const json& claims, const std::vector<std::string>& audience) {
  const auto is_ours = [&](const json& each) {
    return each.is_string() &&
           std::find(audience.begin(), audience.end(), each.get_ref<const std::string&>()) != audience.end();
  };
  const auto* aud = find(claims, "aud");
  if (aud == nullptr)
    return false;
  return aud->is_array() ? std::any_of(aud->begin(), aud->end(), is_ours) : is_ours(*aud);
}

/// Seconds since 1970; nothing if it is no number (RFC 7519, section 2).
std::optional<seconds> date_of(const json& claims, std::string_view name) {
  const auto* value = find(claims, name);
  if (value == nullptr || !value->is_number() || !std::isfinite(value->get<double>()))
    return std::nullopt;
  return seconds(value->get<double>());
}

std::optional<token_fault> fault_of_time(const json& claims, std::chrono::milliseconds leeway, seconds now) {
  const auto expires = date_of(claims, "exp");
  if (!expires)
    return token_fault{"it does not say until when it is good ('exp')"};
  if (now >= *expires + leeway)
    return token_fault{"it has expired"};
  if (!claims.contains("nbf"))
    return std::nullopt;
  const auto begins = date_of(claims, "nbf");
  if (!begins)
    return token_fault{"it does not say from when it is good ('nbf' is no number)"};
  if (now + leeway < *begins)
    return token_fault{"it is not good yet"};
  return std::nullopt;
}

std::optional<token_fault> fault_of_claims(const json& claims, const config::jwt_options& rules,
                                           seconds now) {
  const auto* issuer = find_string(claims, "iss");
  if (issuer == nullptr || *issuer != rules.issuer)
    return token_fault{"it is of another issuer ('iss')"};
  if (!is_for(claims, rules.audience))
    return token_fault{"it is for somebody else ('aud')"};
  if (auto fault = fault_of_time(claims, rules.leeway, now))
    return fault;
  const auto* subject = find_string(claims, "sub");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (subject == nullptr || subject->empty() || subject->size() > defaults::longest_subject ||
      std::any_of(subject->begin(), subject->end(), is_control))
    return token_fault{
        fmt::format("its subject ('sub') is not 1 to {} bytes of text", defaults::longest_subject)};
  return std::nullopt;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0)
      words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::vector<std::string> roles_of(const json& claims, const std::string& claim) {
  const auto* value = find(claims, claim);
  if (value == nullptr)
    return {};
  if (value->is_string())
    return split_words(value->get_ref<const std::string&>());
  std::vector<std::string> roles;
  if (value->is_array())
    for (const auto& each : *value)
      if (each.is_string())
        roles.push_back(each.get<std::string>());
  return roles;
}

} // namespace

std::variant<token_claims, token_fault> check_token(std::string_view token, const key_set& keys,
                                                    const config::jwt_options& rules,
                                                    std::chrono::system_clock::time_point now) {
  if (token.size() > defaults::longest_token)
    return token_fault{"it is too long"};
  const auto found = split(token);
  const auto header = found ? decode_object(found->header) : std::nullopt;
  if (!header)
    return malformed();
  // Nothing of what is signed is looked at before the signature.
  if (auto fault = fault_of_signature(*header, *found, keys))
    return std::move(*fault);
  const auto claims = decode_object(found->payload);
  if (!claims)
    return malformed();
  if (auto fault = fault_of_claims(*claims, rules, now.time_since_epoch()))
    return std::move(*fault);
  return token_claims{*find_string(*claims, "sub"), roles_of(*claims, rules.roles_claim)};
}

} // namespace troupe::auth
