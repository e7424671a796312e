#include "libagent/guardrail/pii_finders.hpp"

#include <algorithm>

namespace troupe::guardrail {

namespace {

/// ITU-T E.164, section 6: fifteen digits at most. Fewer than eight are rather a number than a telephone's.
constexpr std::size_t min_international_digits = 8;
constexpr std::size_t min_national_digits = 9;
constexpr std::size_t max_national_digits = 12;
constexpr std::size_t north_american_digits = 11;

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
}

bool joins(char c) {
  return c == '.' || c == '-' || c == '/' || c == ':';
}

/// What stands before makes it a part of something longer, or a price.
bool is_open_before(std::string_view text, std::size_t begin) {
  const auto before = char_before(text, begin);
  const auto more = begin > 1 ? text[begin - 2] : ' ';
  const bool is_joined = ((before == '.' || before == '-' || before == '/') && is_word(more)) ||
                         ((before == ':' || before == ',') && is_digit(more));
  return is_word(before) || before == '+' || before == '$' || before == '#' || is_joined;
}

bool is_open_after(std::string_view text, std::size_t end) {
  const auto after = char_at(text, end);
  const auto more = char_at(text, end + 1);
  return is_word(after) || (joins(after) && is_word(more)) || (after == ',' && is_digit(more)) ||
         after == '%';
}

/// "+1.234.567" and "+12 345 678" are amounts, "+12345678.5" is a fraction.
bool is_amount(std::string_view number, std::size_t digits) {
  const auto separator = number.find_first_not_of("+0123456789");
  if (separator == std::string_view::npos)
    return false;
  const auto sign = number[separator];
  if (number.find_first_not_of("+0123456789", separator + 1) == std::string_view::npos && sign == '.')
    return true;
  constexpr std::size_t longest_spaced_amount = 9;
  if (sign != '.' && (sign != ' ' || digits > longest_spaced_amount))
    return false;
  for (auto at = separator; at < number.size(); at += 4)
    if (number[at] != sign || number.size() - at < 4 || count_digits(number.substr(at + 1, 3)) != 3)
      return false;
  return true;
}

/// Leaves out the last group of digits with its separator.
std::string_view without_last_group(std::string_view number) {
  auto end = number.size();
  while (end > 0 && is_digit(number[end - 1]))
    --end;
  while (end > 0 && !is_digit(number[end - 1]))
    --end;
  return number.substr(0, end);
}

/// As much of the candidate as is a number, which is not open at its end; empty if none is.
std::string_view international(std::string_view text, std::size_t begin, std::string_view number) {
  const bool has_plus = number.front() == '+';
  const auto prefix = has_plus ? std::size_t{0} : std::size_t{2};
  const bool is_north_american = number.substr(has_plus ? 1 : 2).starts_with('1');
  for (; !number.empty(); number = without_last_group(number)) {
    const auto digits = count_digits(number) - prefix;
    if (digits < min_international_digits || number.size() <= prefix)
      return {};
    const bool fits = !is_north_american || digits == north_american_digits;
    if (fits && !is_open_after(text, begin + number.size()))
      return is_amount(number, digits) ? std::string_view() : number;
  }
  return {};
}

void find_international(const re2::RE2& candidate, std::string_view text, std::vector<finding>& into) {
  each_match(candidate, text, [&](std::size_t begin, std::size_t size) {
    const auto written = text.substr(begin, size);
    const auto number =
        is_open_before(text, begin) ? std::string_view() : international(text, begin, written);
    // Without a plus, only separators tell it from any number.
    const bool is_marked = written.front() == '+' || count_digits(number) < number.size();
    if (number.empty() || !is_marked)
      return begin + 1;
    into.push_back({entity::phone, begin, number.size()});
    return begin + number.size();
  });
}

/// "02134-1234" is a postal code, "03/2024-00123" is numbered by month.
bool is_other_number(const std::string_view number) {
  static const re2::RE2 other(R"(0\d{4}-\d{4}|0[1-9][/-](?:19|20)\d\d(?:\D.*)?)");
  return re2::RE2::FullMatch({number.data(), number.size()}, other);
}

void find_national(const re2::RE2& candidate, std::string_view text, std::vector<finding>& into) {
  each_match(candidate, text, [&](std::size_t begin, std::size_t size) {
    const auto number = text.substr(begin, size);
    const auto digits = count_digits(number);
    const auto end = begin + size;
    // A number in groups between which are spaces only, and more digits beside it, is a part of a longer one.
    const bool goes_on = number.find_first_of("-./(") == std::string_view::npos &&
                         ((char_at(text, end) == ' ' && is_digit(char_at(text, end + 1))) ||
                          (char_before(text, begin) == ' ' && begin > 1 && is_digit(text[begin - 2])));
    if (digits < min_national_digits || digits > max_national_digits || is_open_before(text, begin) ||
        is_open_after(text, end) || goes_on || is_other_number(number))
      return begin + 1;
    into.push_back({entity::phone, begin, size});
    return end;
  });
}

} // namespace

void find_phones(std::string_view text, std::vector<finding>& into) {
  static const re2::RE2 with_plus(R"(\+[1-9](?:[ ().\-/]{0,2}\d){7,14})");
  static const re2::RE2 with_zeros(R"(00[1-9](?:[ ().\-/]{0,2}\d){9,14})");
  static const re2::RE2 north_american(
      R"((?:1[ .\-])?(?:\([2-9]\d\d\) ?\d{3}[ .\-]|[2-9]\d\d-\d{3}-|[2-9]\d\d\.\d{3}\.)\d{4})");
  static const re2::RE2 with_area_code(
      R"((?:\(0[1-9]\d{0,3}\) ?|0[1-9]\d{0,3}[ \-/])\d{3,8}(?:[ \-]\d{2,8}){0,3})");
  static const re2::RE2 in_pairs(R"(0[1-9](?: \d\d){4}|0[1-9](?:\.\d\d){4}|0[1-9](?:-\d\d){4})");
  find_international(with_plus, text, into);
  find_international(with_zeros, text, into);
  for (const auto* candidate : {&north_american, &with_area_code, &in_pairs})
    find_national(*candidate, text, into);
}

} // namespace troupe::guardrail
