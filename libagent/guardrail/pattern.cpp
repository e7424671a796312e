#include "libagent/guardrail/pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace troupe::guardrail {

namespace {

bool is_found(const re2::RE2& pattern, std::string_view text) {
  return pattern.Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

/// Replaces the matches and counts them.
std::string replaced(const re2::RE2& pattern, std::string_view text, std::string_view replacement,
                     std::size_t& matches) {
  std::string made;
  const re2::StringPiece whole(text.data(), text.size());
  re2::StringPiece match;
  std::size_t from = 0;
  std::size_t kept = 0;
  while (from <= text.size() && pattern.Match(whole, from, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
    const auto begin = static_cast<std::size_t>(match.data() - text.data());
    from = begin + match.size();
    if (match.empty()) {
      ++from;
      continue;
    }
    made += text.substr(kept, begin - kept);
    made += replacement;
    kept = from;
    ++matches;
  }
  made += text.substr(std::min(kept, text.size()));
  return made;
}

verdict rewritten(const pattern_rule& rule, std::string_view text) {
  if (rule.must_match)
    return {action::rewrite, rule.replacement, "replaced a text in which no pattern is found"};
  std::size_t matches = 0;
  auto made = std::string(text);
  for (const auto& pattern : rule.patterns)
    made = replaced(*pattern, made, rule.replacement, matches);
  if (made == text)
    return {};
  return {action::rewrite, std::move(made),
          fmt::format("replaced {} {}", matches, matches == 1 ? "match" : "matches")};
}

} // namespace

result<std::shared_ptr<const re2::RE2>> compile_pattern(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto made = std::make_shared<const re2::RE2>(text, options);
  if (!made->ok())
    return fail(errc::invalid_argument, fmt::format("not a regular expression of RE2: {}", made->error()));
  return std::shared_ptr<const re2::RE2>(std::move(made));
}

verdict check(const pattern_rule& rule, std::string_view text) {
  const bool found = std::any_of(rule.patterns.begin(), rule.patterns.end(),
                                 [text](const auto& pattern) { return is_found(*pattern, text); });
  if (found == rule.must_match || rule.on_match == action::pass)
    return {};
  if (rule.on_match == action::rewrite)
    return rewritten(rule, text);
  constexpr auto matched = "the text matches a pattern that is not allowed";
  constexpr auto unmatched = "the text matches none of the patterns that are allowed";
  return {rule.on_match, {}, !rule.message.empty() ? rule.message : rule.must_match ? unmatched : matched};
}

} // namespace troupe::guardrail
