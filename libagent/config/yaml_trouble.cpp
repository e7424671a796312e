#include "libagent/config/yaml_trouble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace troupe::config {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view blanks = " \t\r\n";

bool is_blank(char c) {
  return blanks.find(c) != npos;
}

char closing(char bracket) {
  return bracket == '[' ? ']' : '}';
}

char opening(char bracket) {
  return bracket == ']' ? '[' : '{';
}

/// Whether a value may begin at the offset, outside of all brackets: behind the indentation, or a ':' or '-'
/// with a blank, anchors and tags left aside.
bool begins_value(std::string_view text, std::size_t offset) {
  const auto line = text.rfind('\n', offset == 0 ? 0 : offset - 1);
  const auto start = line == npos || offset == 0 ? 0 : line + 1;
  auto before = text.substr(start, offset - start);
  if (!before.empty() && !is_blank(before.back()))
    return false;
  while (true) {
    const auto end = before.find_last_not_of(blanks);
    if (end == npos)
      return true;
    before = before.substr(0, end + 1);
    const auto blank = before.find_last_of(blanks);
    const auto word = before.substr(blank == npos ? 0 : blank + 1);
    if (word.front() != '&' && word.front() != '!')
      return word.back() == ':' || word == "-" || word == "?";
    before.remove_suffix(word.size());
  }
}

/// Follows quotes and brackets up to where the parser gave up.
class bracket_scan {
public:
  bracket_scan(std::string_view text, std::size_t end) : text_(text), end_(std::min(end, text.size())) {}

  void run(const yaml_progress& from) {
    auto at = from.open_bracket.value_or(from.last);
    while (at < end_ && !is_done())
      at = open.empty() && !is_in_brackets(at, from) ? step_outside(at) : step_inside(at);
    // What the parser stumbled over may be a bracket itself.
    if (!is_done() && at == end_ && at < text_.size() && (text_[at] == ']' || text_[at] == '}'))
      close(at);
  }

  /// Offsets of the brackets that are open, the innermost last.
  std::vector<std::size_t> open;
  std::optional<std::size_t> unclosed_quote;
  /// A closing bracket that does not fit the innermost open one, or stands alone.
  std::optional<std::size_t> misfit;
  /// The last text in quotes.
  std::size_t quote_begin = 0;
  std::size_t quote_end = 0;

private:
  bool is_done() const { return unclosed_quote || misfit; }

  bool is_in_brackets(std::size_t at, const yaml_progress& from) const {
    return from.open_bracket && at == *from.open_bracket;
  }

  std::size_t step_outside(std::size_t at) {
    const char c = text_[at];
    if (is_comment(at))
      return end_of_line(at);
    if ((c == '"' || c == '\'') && begins_value(text_, at))
      return skip_quotes(at);
    if ((c == '[' || c == '{') && begins_value(text_, at))
      return step_inside(at);
    return at + 1;
  }

  std::size_t step_inside(std::size_t at) {
    const char c = text_[at];
    if (is_comment(at))
      return end_of_line(at);
    if ((c == '"' || c == '\'') && expects_value_)
      return skip_quotes(at);
    if (c == '[' || c == '{')
      open.push_back(at);
    else if (c == ']' || c == '}')
      close(at);
    if (!is_blank(c))
      expects_value_ = c == '[' || c == '{' || c == ',' || c == ':';
    return at + 1;
  }

  void close(std::size_t at) {
    if (open.empty() || closing(text_[open.back()]) != text_[at])
      misfit = at;
    else
      open.pop_back();
  }

  bool is_comment(std::size_t at) const { return text_[at] == '#' && (at == 0 || is_blank(text_[at - 1])); }
  std::size_t end_of_line(std::size_t at) const { return std::min(text_.find('\n', at), end_); }

  std::size_t skip_quotes(std::size_t at) {
    const auto end = end_of_quotes(text_, at);
    if (end == npos) {
      unclosed_quote = at;
      return end_;
    }
    quote_begin = at;
    quote_end = end;
    expects_value_ = false;
    return end + 1;
  }

  std::string_view text_;
  std::size_t end_;
  bool expects_value_ = true;
};

struct explanation {
  std::string_view parser_says;
  std::string_view shown;
};

constexpr auto explanations = std::array{
    explanation{"end of map flow", "a '{' is not closed, or a ',' is missing; close it with '}'"},
    explanation{"end of sequence flow", "a '[' is not closed, or a ',' is missing; close it with ']'"},
    explanation{"end of map",
                "this does not belong to the map above; give its keys one indentation, each with a ':'"},
    explanation{"end of sequence",
                "this does not belong to the list above; begin its entries with '- ' in one column"},
    explanation{"illegal map value",
                "a ':' is not expected here; check the indentation, or quote a text that holds ': '"},
    explanation{"illegal map key", "a key is not expected here; check the indentation"},
    explanation{"illegal block entry",
                "a '- ' is not expected here; put it on a line of its own, in line with its list"},
    explanation{"illegal tab", "a tab indents this line; use spaces"},
    explanation{"unknown escape",
                "unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"},
    explanation{"the referenced anchor",
                "no anchor of this name stands before the alias; define it with &NAME"},
    explanation{"unknown token", "a text cannot begin with this character; put it in quotes"},
    explanation{"illegal document indicator",
                "a text in quotes does not end before a line with '---'; close its quote"},
    explanation{"unexpected character in block",
                "a text behind '|' or '>' begins in the next line; put it there, indented"},
};

/// What the parser says where a bracket is not closed, or a ',' is missing between what is in it.
bool may_lack_bracket(std::string_view says) {
  constexpr auto such =
      std::array<std::string_view, 6>{"end of map flow", "end of sequence flow", "illegal map value",
                                      "illegal map key", "illegal block entry",  "illegal EOF"};
  return std::any_of(such.begin(), such.end(), [&](std::string_view each) { return says.starts_with(each); });
}

/// What the parser says where the indentation is wrong.
bool may_lack_indentation(std::string_view says) {
  return says.starts_with("end of map") || says.starts_with("end of sequence") || says.starts_with("illegal");
}

/// A tab among the blanks that a line begins with, in the lines from one offset to another; or `npos`.
std::size_t find_tab(std::string_view text, std::size_t from, std::size_t to) {
  auto start = text.rfind('\n', from);
  start = start == npos ? 0 : start + 1;
  while (start <= to && start < text.size()) {
    const auto tab = text.find_first_not_of(' ', start);
    if (tab != npos && text[tab] == '\t' && tab <= to)
      return tab;
    const auto end = text.find('\n', start);
    if (end == npos)
      break;
    start = end + 1;
  }
  return npos;
}

std::string explain_misfit(const text_places& places, const bracket_scan& seen) {
  const char closes = places.text()[*seen.misfit];
  if (seen.open.empty())
    return fmt::format("this '{}' closes nothing; remove it, or write a '{}' before it", closes,
                       opening(closes));
  const char open = places.text()[seen.open.back()];
  return fmt::format("the '{}' of line {} is still open at this '{}'; close it with '{}'", open,
                     places.at(seen.open.back()).line, closes, closing(open));
}

/// What is wrong with quotes, brackets and tabs; nothing if they are all right.
std::optional<yaml_trouble> find_cause(const text_places& places, std::size_t offset, std::string_view says,
                                       const yaml_progress& progress) {
  const auto text = places.text();
  auto seen = bracket_scan{text, offset};
  seen.run(progress);
  const auto line = places.at(offset).line;
  if (seen.unclosed_quote)
    return yaml_trouble{*seen.unclosed_quote, "this quote is never closed; close it"};
  const auto quote_line = places.at(seen.quote_begin).line;
  if (quote_line < line && seen.quote_end < offset && places.at(seen.quote_end).line == line)
    return yaml_trouble{offset,
                        fmt::format("the quote of line {} is closed only in this line; close it where "
                                    "its text is meant to end",
                                    quote_line)};
  if (seen.misfit)
    return yaml_trouble{*seen.misfit, explain_misfit(places, seen)};
  if (!seen.open.empty() && may_lack_bracket(says)) {
    const char open = text[seen.open.back()];
    return yaml_trouble{
        offset, fmt::format("the '{}' of line {} is not closed, or a ',' is missing; close it with '{}'",
                            open, places.at(seen.open.back()).line, closing(open))};
  }
  if (seen.open.empty() && may_lack_indentation(says))
    if (const auto tab = find_tab(text, progress.last, offset); tab != npos)
      return yaml_trouble{tab, "a tab indents this line; use spaces"};
  return std::nullopt;
}

} // namespace

yaml_trouble explain_yaml(const text_places& places, std::size_t offset, const std::string& parser_says,
                          const yaml_progress& progress) {
  const auto text = places.text();
  if (offset > 0 && offset < text.size() && text[offset] == '{' && text[offset - 1] == '$')
    return {offset, "'${' without quotes inside {...} or [...]; put the text in quotes"};
  if (auto cause = find_cause(places, offset, parser_says, progress))
    return std::move(*cause);
  for (const auto& [says, shown] : explanations)
    if (parser_says.starts_with(says))
      return {offset, std::string{shown}};
  return {offset, parser_says + "; check indentation and quotes"};
}

std::optional<std::size_t> find_unclosed_quote(const text_places& places, std::size_t bracket) {
  auto seen = bracket_scan{places.text(), places.text().size()};
  seen.run({bracket, bracket});
  return seen.unclosed_quote;
}

std::size_t end_of_quotes(std::string_view text, std::size_t offset) {
  const char quote = text[offset];
  for (auto i = offset + 1; i < text.size(); ++i) {
    const auto is_doubled = quote == '\'' && text.substr(i, 2) == "''";
    if (is_doubled || (quote == '"' && text[i] == '\\'))
      ++i;
    else if (text[i] == quote)
      return i;
  }
  return npos;
}

} // namespace troupe::config
