#pragma once

#include "libagent/guardrail/pii.hpp"

#include <re2/re2.h>

#include <string_view>
#include <vector>

/// How each entity is found. Finders add what they find in any order, overlaps included, and take time linear
/// in the text: patterns are RE2's, and what was looked at in vain is not looked at again.
namespace troupe::guardrail {

void find_entity(entity what, std::string_view text, std::vector<finding>& into);

void find_emails(std::string_view text, std::vector<finding>& into);
void find_cards(std::string_view text, std::vector<finding>& into);
void find_phones(std::string_view text, std::vector<finding>& into);
void find_ibans(std::string_view text, std::vector<finding>& into);
void find_keys(std::string_view text, std::vector<finding>& into);

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// ASCII only: in scripts without spaces a number may follow a letter.
inline bool is_word(char c) {
  return is_digit(c) || is_letter(c) || c == '_';
}

/// The character at the offset, or a space outside of the text.
inline char char_at(std::string_view text, std::size_t offset) {
  return offset < text.size() ? text[offset] : ' ';
}

/// The character before the offset, or a space where the text begins.
inline char char_before(std::string_view text, std::size_t offset) {
  return offset > 0 ? text[offset - 1] : ' ';
}

/// Calls `look` with each match's place (of its first group, if it has one). It returns where the search goes
/// on, after the place's beginning.
template <class Look>
void each_match(const re2::RE2& pattern, std::string_view text, Look look) {
  const re2::StringPiece whole(text.data(), text.size());
  const auto group = pattern.NumberOfCapturingGroups() > 0 ? 1 : 0;
  re2::StringPiece found[2];
  std::size_t from = 0;
  while (from < text.size() &&
         pattern.Match(whole, from, text.size(), re2::RE2::UNANCHORED, found, group + 1))
    from = look(static_cast<std::size_t>(found[group].data() - text.data()), found[group].size());
}

} // namespace troupe::guardrail
