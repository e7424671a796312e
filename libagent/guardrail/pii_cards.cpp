#include "libagent/guardrail/pii_finders.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace troupe::guardrail {

namespace {

constexpr std::size_t min_digits = 13;
constexpr std::size_t max_digits = 19;
/// 4-4-4-4-3 is the longest way to write a card.
constexpr std::size_t max_groups = 5;

struct group {
  std::size_t begin;
  std::size_t size;
};
using groups = std::span<const group>;

/// ISO/IEC 7812-1, annex B. The text may hold separators.
bool passes_luhn(std::string_view text) {
  unsigned sum = 0;
  bool doubled = false;
  for (auto c = text.rbegin(); c != text.rend(); ++c) {
    if (!is_digit(*c))
      continue;
    const auto digit = static_cast<unsigned>(*c - '0') * (doubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
    doubled = !doubled;
  }
  return sum % 10 == 0;
}

/// No card begins with 0, and thirteen digits that begin with 1 are a time in milliseconds.
bool begins_like_card(std::string_view text, std::size_t digits) {
  return text.front() != '0' && !(digits == min_digits && text.front() == '1');
}

/// Cards are written 4-4-4-4, 4-6-5, 4-6-4, 4-4-5, 4-4-4-4-3 or so: dates and times have groups of two.
bool is_card_shape(groups all) {
  if (all.size() == 1)
    return true;
  const auto inner = all.subspan(1, all.size() - 2);
  const bool inner_fit = std::all_of(inner.begin(), inner.end(),
                                     [](const group& each) { return each.size >= 4 && each.size <= 6; });
  return all.front().size == 4 && inner_fit && all.back().size <= 6;
}

/// Four digits more before or after make it another, longer number.
bool stands_alone(groups run, std::size_t first, std::size_t count) {
  const bool goes_before = first > 0 && run[first - 1].size == 4 && run[first].size == 4;
  const auto last = first + count;
  const bool goes_after = last < run.size() && run[last].size == 4 && run[last - 1].size == 4 && count < 4;
  return !goes_before && !goes_after;
}

/// The card that begins with the group, as a number of groups; 0 if there is none. Longer ones first.
std::size_t card_at(std::string_view text, groups run, std::size_t first) {
  const auto most = std::min(max_groups, run.size() - first);
  for (auto count = most; count > 0; --count) {
    const auto window = run.subspan(first, count);
    const auto end = window.back().begin + window.back().size;
    std::size_t digits = 0;
    for (const auto& each : window)
      digits += each.size;
    if (digits < min_digits || digits > max_digits || !is_card_shape(window) ||
        !stands_alone(run, first, count))
      continue;
    const auto written = text.substr(window.front().begin, end - window.front().begin);
    if (begins_like_card(written, digits) && passes_luhn(written))
      return count;
  }
  return 0;
}

/// A fraction or a part of a word is no card.
bool is_bounded(std::string_view text, std::size_t begin, std::size_t end) {
  const auto before = char_before(text, begin);
  const auto after = char_at(text, end);
  const bool is_fraction = (before == '.' || before == ',') && begin > 1 && is_digit(text[begin - 2]);
  const bool has_fraction = after == '.' && is_digit(char_at(text, end + 1));
  return !is_word(before) && !is_word(after) && !is_fraction && !has_fraction;
}

/// The groups of digits from the offset on that single spaces or dashes join.
std::vector<group> read_run(std::string_view text, std::size_t at) {
  std::vector<group> run;
  while (true) {
    const auto begin = at;
    while (is_digit(char_at(text, at)))
      ++at;
    run.push_back({begin, at - begin});
    const auto separator = char_at(text, at);
    if ((separator != ' ' && separator != '-') || !is_digit(char_at(text, at + 1)))
      return run;
    ++at;
  }
}

} // namespace

void find_cards(std::string_view text, std::vector<finding>& into) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    const auto run = read_run(text, at);
    at = run.back().begin + run.back().size;
    // What comes after a card begins anew.
    for (auto [rest, first] = std::pair{groups(run), std::size_t{0}}; first < rest.size();) {
      const auto count = card_at(text, rest, first);
      const auto begin = rest[first].begin;
      const auto& last = rest[first + std::max<std::size_t>(count, 1) - 1];
      const auto end = last.begin + last.size;
      if (count == 0 || !is_bounded(text, begin, end)) {
        ++first;
        continue;
      }
      into.push_back({entity::card, begin, end - begin});
      rest = rest.subspan(first + count);
      first = 0;
    }
  }
}

} // namespace troupe::guardrail
