#include "libagent/config/spelling.hpp"

#include "libagent/core/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::config {

namespace {

constexpr std::size_t longest_shown = 80;
constexpr std::size_t most_listed = 40;
constexpr std::size_t longest_compared = 64;

std::string normal_form(std::string_view word) {
  std::string form;
  for (const char c : word)
    if (c != '_' && c != '-')
      form += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return form;
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

/// About half of a short word or a third of a long one: more would suggest words with nothing in common.
std::size_t tolerance(std::size_t length) {
  return length <= 3 ? length / 2 : length <= 8 ? 2 : length / 3;
}

} // namespace

std::string in_quotes(std::string_view text) {
  auto shown = to_utf8(text.substr(0, longest_shown));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  return fmt::format("'{}{}'", shown, text.size() > longest_shown ? "..." : "");
}

std::string key_in_quotes(std::string_view key) {
  const auto shown = key.substr(0, key.find_first_of(":= \t\r\n"));
  return shown.size() == key.size() ? in_quotes(key) : fmt::format("{} (and more)", in_quotes(shown));
}

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (std::size_t i = 0; i < std::min(texts.size(), most_listed); ++i)
    all += (i == 0 ? "" : ", ") + in_quotes(texts[i]);
  return texts.size() > most_listed ? all + " and more" : all;
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > longest_compared)
    return {};
  const auto wanted = normal_form(word);
  std::string best;
  auto fewest = tolerance(wanted.size()) + 1;
  for (const auto& candidate : known) {
    if (candidate.size() > longest_compared)
      continue;
    const auto edits = edits_between(wanted, normal_form(candidate));
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known, std::string_view noun) {
  if (const auto meant = nearest(word, known); !meant.empty())
    return fmt::format("did you mean {}?", in_quotes(meant));
  if (known.empty())
    return fmt::format("there are no {} in this file", noun);
  return fmt::format("{} are {}", noun, listed(known));
}

} // namespace troupe::config
