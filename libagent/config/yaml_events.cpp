#include "libagent/config/yaml_events.hpp"

#include "libagent/config/spelling.hpp"
#include "libagent/config/yaml_trouble.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <vector>

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

  yaml_progress progress() const {
    auto made = yaml_progress{last_};
    const auto first =
        std::find_if(open_.begin(), open_.end(), [](const auto& each) { return each.has_value(); });
    if (first != open_.end())
      made.open_bracket = *first;
    return made;
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { builder_.null(at(mark), anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { builder_.alias(at(mark), anchor); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    last_ = static_cast<std::size_t>(mark.pos);
    check_quotes(mark);
    builder_.scalar(at(mark), value, is_plain(mark, tag), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    is_plain(mark, tag);
    open(mark, style);
    check_key();
    builder_.begin(node::kind::list, at(mark), anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    is_plain(mark, tag);
    open(mark, style);
    check_key();
    builder_.begin(node::kind::map, at(mark), anchor);
  }
  void OnMapEnd() override { close(); }

private:
  /// The parser's positions are offsets in bytes, which `text_` turns into places.
  place at(const YAML::Mark& mark) const { return text_.at(static_cast<std::size_t>(mark.pos)); }

  /// The parser takes the end of the file for a closing quote, and would hide all that the text swallowed.
  void check_quotes(const YAML::Mark& mark) const {
    const auto all = text_.text();
    const auto begin = skip_properties(all, static_cast<std::size_t>(mark.pos));
    if (begin < all.size() && (all[begin] == '"' || all[begin] == '\'') &&
        end_of_quotes(all, begin) == std::string_view::npos)
      fail_unclosed(begin);
  }

  /// With all that follows inside a quote, the parser takes the brackets around it for a key.
  void check_key() const {
    if (!builder_.at_key() || !open_.back())
      return;
    if (const auto quote = find_unclosed_quote(text_, *open_.back()))
      fail_unclosed(*quote);
  }

  [[noreturn]] void fail_unclosed(std::size_t quote) const {
    builder_.fail(text_.at(quote), "not valid YAML: this quote is never closed; close it");
  }

  void open(const YAML::Mark& mark, YAML::EmitterStyle::value style) {
    last_ = static_cast<std::size_t>(mark.pos);
    const auto begin = skip_properties(text_.text(), last_);
    open_.push_back(style == YAML::EmitterStyle::Flow ? std::optional{begin} : std::nullopt);
  }

  void close() {
    open_.pop_back();
    builder_.end();
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
  std::size_t last_ = 0;
  /// For each open collection, where it begins if it is in brackets.
  std::vector<std::optional<std::size_t>> open_;
};

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
    const auto found = explain_yaml(text, offset, wrong.msg, events.progress());
    builder.fail(text.at(found.offset), "not valid YAML: " + found.message);
  }
}

} // namespace troupe::config
