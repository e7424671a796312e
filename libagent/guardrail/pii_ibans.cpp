#include "libagent/guardrail/pii_finders.hpp"

#include <algorithm>
#include <array>

namespace troupe::guardrail {

namespace {

struct country {
  std::string_view code;
  std::size_t length;
};

/// ISO 13616 registry, in the order of codes.
constexpr auto countries = std::array<country, 88>{
    {{"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
     {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
     {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
     {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
     {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
     {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
     {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
     {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
     {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
     {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
     {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}}};

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::size_t length_for(char first, char second) {
  const char code[] = {upper(first), upper(second)};
  const auto* found = std::find_if(countries.begin(), countries.end(), [&](const country& each) {
    return each.code == std::string_view(code, 2);
  });
  return found == countries.end() ? 0 : found->length;
}

/// The first `length` letters and digits, as long as at most a space stands between groups of four.
std::string read_compact(std::string_view text, std::size_t& at, std::size_t length) {
  std::string compact;
  while (compact.size() < length) {
    const bool may_be_space = !compact.empty() && compact.size() % 4 == 0 && char_at(text, at) == ' ';
    at += may_be_space ? 1 : 0;
    const auto next = char_at(text, at);
    if (!is_digit(next) && !is_letter(next))
      return {};
    compact += upper(next);
    ++at;
  }
  return compact;
}

/// ISO 7064, MOD 97-10: the first four characters at the end, letters as 10 to 35.
bool passes_check(const std::string& compact) {
  unsigned rest = 0;
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const auto c = compact[(i + 4) % compact.size()];
    rest = is_digit(c) ? rest * 10 + static_cast<unsigned>(c - '0')
                       : rest * 100 + static_cast<unsigned>(c - 'A' + 10);
    rest %= 97;
  }
  return rest == 1;
}

} // namespace

void find_ibans(std::string_view text, std::vector<finding>& into) {
  for (std::size_t begin = 0; begin + 4 < text.size(); ++begin) {
    const bool is_start = is_letter(text[begin]) && is_letter(text[begin + 1]) && is_digit(text[begin + 2]) &&
                          is_digit(text[begin + 3]) && !is_word(char_before(text, begin));
    const auto length = is_start ? length_for(text[begin], text[begin + 1]) : 0;
    if (length == 0)
      continue;
    auto end = begin;
    const auto compact = read_compact(text, end, length);
    if (compact.empty() || is_word(char_at(text, end)) || !passes_check(compact))
      continue;
    into.push_back({entity::iban, begin, end - begin});
    begin = end - 1;
  }
}

} // namespace troupe::guardrail
