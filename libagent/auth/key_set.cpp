#include "libagent/auth/key_set.hpp"

#include "libagent/auth/base64url.hpp"
#include "libagent/auth/defaults.hpp"
#include "libagent/auth/public_key.hpp"
#include "libagent/auth/unique_json.hpp"

#include <algorithm>

namespace troupe::auth {

namespace {

/// A member's bytes; empty if there is none.
std::string bytes_of(const json& key, std::string_view name) {
  const auto* text = find_string(key, name);
  return text == nullptr ? std::string() : decode_base64url(*text).value_or("");
}

bool is_for_verifying(const json& key) {
  if (const auto* use = find(key, "use"); use != nullptr && *use != "sig")
    return false;
  const auto* operations = find(key, "key_ops");
  return operations == nullptr || (operations->is_array() && std::find(operations->begin(), operations->end(),
                                                                       "verify") != operations->end());
}

/// What the key's type can be used for.
std::optional<algorithm> use_of(const json& key) {
  const auto* type = find_string(key, "kty");
  const auto* curve = find_string(key, "crv");
  if (type != nullptr && *type == "RSA")
    return algorithm::rs256;
  if (type != nullptr && *type == "EC" && curve != nullptr && *curve == "P-256")
    return algorithm::es256;
  return std::nullopt;
}

/// Whether the key says nothing else about its algorithm.
bool agrees(const json& key, algorithm by) {
  const auto* named = find(key, "alg");
  return named == nullptr || *named == (by == algorithm::rs256 ? "RS256" : "ES256");
}

} // namespace

std::optional<algorithm> algorithm_of(std::string_view name) noexcept {
  if (name == "RS256")
    return algorithm::rs256;
  if (name == "ES256")
    return algorithm::es256;
  return std::nullopt;
}

result<key_set> key_set::parse(std::string_view jwks) {
  if (jwks.size() > defaults::largest_jwks)
    return fail(errc::invalid_argument, "it is too large");
  const auto parsed = parse_unique(jwks, defaults::token_depth);
  const auto* list = parsed ? troupe::find(*parsed, "keys") : nullptr;
  if (list == nullptr || !list->is_array())
    return fail(errc::invalid_argument, "it is no JWK Set, which is an object with an array 'keys'");
  if (list->size() > defaults::most_keys)
    return fail(errc::invalid_argument, "it has too many keys");
  key_set made;
  for (const auto& each : *list) {
    const auto by = each.is_object() ? use_of(each) : std::nullopt;
    if (!by || !is_for_verifying(each) || !agrees(each, *by))
      continue;
    auto value = *by == algorithm::rs256 ? make_rsa_key(bytes_of(each, "n"), bytes_of(each, "e"))
                                         : make_p256_key(bytes_of(each, "x"), bytes_of(each, "y"));
    const auto* kid = find_string(each, "kid");
    if (value)
      made.keys_.push_back({*by, kid == nullptr ? std::nullopt : std::optional(*kid), std::move(value)});
  }
  if (made.keys_.empty())
    return fail(errc::invalid_argument, "it has no key for RS256 (RSA, 2048 bits or more) or ES256 (P-256)");
  return made;
}

const key_set::entry* key_set::find(algorithm by, const std::optional<std::string>& kid) const {
  const auto fits = [&](const entry& each) { return each.by == by && (!kid || each.kid == kid); };
  const auto found = std::find_if(keys_.begin(), keys_.end(), fits);
  if (found == keys_.end() || (!kid && std::find_if(found + 1, keys_.end(), fits) != keys_.end()))
    return nullptr;
  return &*found;
}

key_set::verdict key_set::verify(algorithm by, const std::optional<std::string>& kid,
                                 std::string_view signed_text, std::string_view signature) const {
  const auto* key = find(by, kid);
  if (key == nullptr)
    return verdict::unknown_key;
  const auto good = by == algorithm::rs256 ? verify_rs256(*key->value, signed_text, signature)
                                           : verify_es256(*key->value, signed_text, signature);
  return good ? verdict::good : verdict::bad;
}

} // namespace troupe::auth
