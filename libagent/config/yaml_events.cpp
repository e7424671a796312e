#include "libagent/config/yaml_events.hpp"

#include "libagent/config/spelling.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace troupe::config {

namespace {

/// Offset of the value itself, behind an anchor and a tag.
std::size_t skip_properties(std::string_view text, std::size_t offset) {
  while (offset < text.size() && (text[offset] == '&' || text[offset] == '!')) {
    offset = std::min(text.find_first_of(" \t\r\n", offset), text.size());
    offset = std::min(text.find_first_not_of(" \t\r\n", offset), text.size());
  }
  return offset;
}

/// Whether a quoted text that begins at the offset has its closing quote.
bool is_closed(std::string_view text, std::size_t offset) {
  const char quote = text[offset];
  for (auto i = offset + 1; i < text.size(); ++i) {
    const auto is_doubled = quote == '\'' && text.substr(i, 2) == "''";
    if (is_doubled || (quote == '"' && text[i] == '\\'))
      ++i;
    else if (text[i] == quote)
      return true;
  }
  return false;
}

class handler : public YAML::EventHandler {
public:
  handler(const text_places& text, tree_builder& builder) : text_(text), builder_(builder) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_document_)
      builder_.fail(at(mark),
                    "the text goes on after the end of its document; an agent file is one YAML document");
    seen_document_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { builder_.null(at(mark), anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { builder_.alias(at(mark), anchor); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_quotes(mark);
    builder_.scalar(at(mark), value, is_plain(mark, tag), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    is_plain(mark, tag);
    builder_.begin(node::kind::list, at(mark), anchor);
  }
  void OnSequenceEnd() override { builder_.end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    is_plain(mark, tag);
    builder_.begin(node::kind::map, at(mark), anchor);
  }
  void OnMapEnd() override { builder_.end(); }

private:
  /// The parser's positions are offsets in bytes, which `text_` turns into places.
  place at(const YAML::Mark& mark) const { return text_.at(static_cast<std::size_t>(mark.pos)); }

  /// The parser takes the end of the file for a closing quote, and would hide all that the text swallowed.
  void check_quotes(const YAML::Mark& mark) const {
    const auto all = text_.text();
    const auto begin = skip_properties(all, static_cast<std::size_t>(mark.pos));
    if (begin < all.size() && (all[begin] == '"' || all[begin] == '\'') && !is_closed(all, begin))
      builder_.fail(text_.at(begin), "not valid YAML: this quote is never closed; close it");
  }

  bool is_plain(const YAML::Mark& mark, const std::string& tag) const {
    constexpr std::string_view standard = "tag:yaml.org,2002:";
    if (tag == "!" || tag == "tag:yaml.org,2002:str")
      return false;
    if (!tag.empty() && tag != "?" && !tag.starts_with(standard))
      builder_.fail(at(mark), fmt::format("unknown tag {}; remove it", in_quotes(tag)));
    return true;
  }

  const text_places& text_;
  tree_builder& builder_;
  bool seen_document_ = false;
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
};

std::string explain(std::string_view text, const YAML::Exception& wrong) {
  const auto offset = static_cast<std::size_t>(std::max(wrong.mark.pos, 0));
  if (offset > 0 && offset < text.size() && text[offset] == '{' && text[offset - 1] == '$')
    return "'${' without quotes inside {...} or [...]; put the text in quotes";
  for (const auto& [says, shown] : explanations)
    if (wrong.msg.starts_with(says))
      return std::string{shown};
  return wrong.msg + "; check indentation and quotes";
}

} // namespace

void parse_yaml(const text_places& text, tree_builder& builder) {
  std::istringstream stream{std::string{text.text()}};
  auto events = handler{text, builder};
  try {
    auto parser = YAML::Parser{stream};
    // The second call finds what stands behind the document; an endless one never gets further.
    if (parser.HandleNextDocument(events))
      parser.HandleNextDocument(events);
  } catch (const YAML::Exception& wrong) {
    const auto offset = static_cast<std::size_t>(std::max(wrong.mark.pos, 0));
    builder.fail(text.at(offset), "not valid YAML: " + explain(text.text(), wrong));
  }
}

} // namespace troupe::config
