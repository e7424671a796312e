#include "libagent/guardrail/pii_finders.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::guardrail {

namespace {

constexpr std::string_view dashes = "-----";

bool has_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_letter);
}

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_digit);
}

bool matches_whole(std::string_view text, const re2::RE2& pattern) {
  return re2::RE2::FullMatch({text.data(), text.size()}, pattern);
}

/// Shannon's, in bits a byte.
double entropy(std::string_view text) {
  std::array<unsigned, 256> counts{};
  for (const char c : text)
    ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const auto count : counts) {
    const auto share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= count == 0 ? 0 : share * std::log2(share);
  }
  return bits;
}

/// Words and references, as code and configuration assign them: "config.api_key", "some-name-2", "$TOKEN", a
/// path.
bool is_reference(std::string_view value) {
  static const re2::RE2 words(R"([A-Za-z]+(?:[._-]+[A-Za-z]+)+[._-]?v?\d{0,2})");
  static const re2::RE2 members(R"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)");
  return value.find_first_of("$%/.") == 0 || value.find("://") != std::string_view::npos ||
         matches_whole(value, words) || matches_whole(value, members);
}

bool looks_secret(std::string_view value) {
  // Eight different characters have 3 bits each.
  constexpr double enough = 2.5;
  const bool is_mixed = has_digit(value) || value.find_first_of("!@#$%^*?~+") != std::string_view::npos;
  return has_letter(value) && is_mixed && entropy(value) >= enough && !is_reference(value);
}

/// Tokens that their own form gives away.
void find_tokens(std::string_view text, std::vector<finding>& into) {
  static const re2::RE2 token(R"(sk-[\w-]{20,}|github_pat_\w{22,}|gh[opusr]_[A-Za-z0-9]{30,})"
                              R"(|(?:AKIA|ASIA)[A-Z0-9]{16}|xox[abeprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35})"
                              R"(|eyJ[\w-]{5,}\.[\w-]{10,}\.[\w-]{10,})");
  each_match(token, text, [&](std::size_t begin, std::size_t size) {
    // Without a digit, "sk-" begins a name of many words.
    const auto end = begin + size;
    if (!is_word(char_before(text, begin)) && !is_word(char_at(text, end)) &&
        has_digit(text.substr(begin, size)))
      into.push_back({entity::key, begin, size});
    return end;
  });
}

void find_bearers(std::string_view text, std::vector<finding>& into) {
  static const re2::RE2 bearer(R"((?i:\bbearer)[ \t]{1,4}([A-Za-z0-9._~+/-]{16,}=*))");
  each_match(bearer, text, [&](std::size_t begin, std::size_t size) {
    const auto value = text.substr(begin, size);
    if (has_digit(value) && has_letter(value))
      into.push_back({entity::key, begin, size});
    return begin + size;
  });
}

void find_assignments(std::string_view text, std::vector<finding>& into) {
  static const re2::RE2 assignment(
      R"((?i:pass(?:word|wd|phrase)|pwd|secret(?:[_-]?key)?|token|(?:api|access|auth|private)[_-]?key))"
      R"(["']?[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}["']?([^\s"'`,;&<>()\[\]{}|\\]{8,}))");
  each_match(assignment, text, [&](std::size_t begin, std::size_t size) {
    const auto next = begin + size;
    auto value = text.substr(begin, size);
    while (value.ends_with('.'))
      value.remove_suffix(1);
    const auto after = char_at(text, next);
    const bool is_call = after == '(' || after == '[' || after == '{';
    if (!is_call && looks_secret(value))
      into.push_back({entity::key, begin, value.size()});
    return next;
  });
}

/// Where the base64 of a key that lacks its end line stops: at the first word that is too short for it.
std::size_t end_of_base64(std::string_view text, std::size_t at) {
  constexpr std::string_view spaces = " \t\r\n";
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  constexpr std::size_t shortest = 16;
  auto end = at;
  while (true) {
    const auto begin = std::min(text.find_first_not_of(spaces, end), text.size());
    const auto stop = std::min(text.find_first_not_of(alphabet, begin), text.size());
    if (stop - begin < shortest)
      return end;
    end = stop;
  }
}

/// Where the line ends that begins with "-----END ".
std::size_t end_of_tail(std::string_view text, std::size_t at) {
  const auto line = std::min(text.find('\n', at), text.size());
  const auto close = text.substr(0, line).find(dashes, at + dashes.size());
  return close == std::string_view::npos ? line : close + dashes.size();
}

/// PEM blocks of private keys (RFC 7468, section 10), encrypted and cut ones included.
void find_private_keys(std::string_view text, std::vector<finding>& into) {
  static const re2::RE2 head(R"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)");
  static const re2::RE2 base64(R"([A-Za-z0-9+/=]{16})");
  each_match(head, text, [&](std::size_t begin, std::size_t size) {
    const auto body = begin + size;
    const auto next = std::min(text.find(dashes, body), text.size());
    const bool has_tail = text.substr(next).starts_with("-----END ");
    const auto end = has_tail ? end_of_tail(text, next) : end_of_base64(text, body);
    const auto inside = text.substr(body, has_tail ? next - body : end - body);
    if (re2::RE2::PartialMatch({inside.data(), inside.size()}, base64))
      into.push_back({entity::key, begin, end - begin});
    return end;
  });
}

} // namespace

void find_keys(std::string_view text, std::vector<finding>& into) {
  find_private_keys(text, into);
  find_tokens(text, into);
  find_bearers(text, into);
  find_assignments(text, into);
}

void find_entity(entity what, std::string_view text, std::vector<finding>& into) {
  switch (what) {
  case entity::email:
    return find_emails(text, into);
  case entity::card:
    return find_cards(text, into);
  case entity::phone:
    return find_phones(text, into);
  case entity::iban:
    return find_ibans(text, into);
  case entity::key:
    return find_keys(text, into);
  }
}

} // namespace troupe::guardrail
