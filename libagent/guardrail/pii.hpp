#pragma once

#include "libagent/guardrail/verdict.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::guardrail {

/// Kinds of personal or secret data that are found by their form, precision going before recall.
enum class entity {
  /// E-mail addresses: the common part of RFC 5321, section 4.1.2, with Latin letters before the @.
  email,
  /// Card numbers: 13 to 19 digits with a right check digit (Luhn), in groups or not.
  card,
  /// Telephone numbers: E.164 with + or 00, and national forms with separators (North America; a 0 and an
  /// area code).
  phone,
  /// IBANs (ISO 13616): a country's length and right check digits, in groups of four or not.
  iban,
  /// API keys and tokens of known forms, JWTs, PEM private keys, bearer tokens, and values of high entropy
  /// that are
  /// assigned to names such as password, api_key, token.
  key,
};

/// "email", "card", "phone", "iban", "key", and back.
std::string_view to_string(entity what) noexcept;
std::optional<entity> entity_from_string(std::string_view name) noexcept;

struct pii_rule {
  std::set<entity> entities = {entity::email, entity::card, entity::phone, entity::iban, entity::key};
  /// `rewrite` masks.
  action on_find = action::rewrite;
  /// Stands for what was found; "{}" in it becomes EMAIL, CARD, PHONE, IBAN or KEY.
  std::string mask = "[{}]";
  /// Empty for a standard text.
  std::string message;
};

/// Acts on a text that holds one of the entities. A text once masked passes, unless hundreds of finds follow
/// each other without a space. Takes time linear in the text.
verdict check(const pii_rule& rule, std::string_view text);

/// Where something was found, in bytes.
struct finding {
  entity what;
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// From left to right, none overlapping. Of those that overlap the leftmost counts, of these the longest;
/// what another sticks out is added to it, lest half a number be left.
std::vector<finding> find_pii(std::string_view text, const std::set<entity>& entities);

} // namespace troupe::guardrail
