#include "libagent/config/asked_paths.hpp"

#include "libagent/expression/syntax.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

using expressions::lexer;
using expressions::path;
using expressions::token;

/// Gathers members of one root.
class collector {
public:
  explicit collector(std::string_view root) : root_(root) {}

  void add(const path& way) {
    if (way.size() > 1 && way.front() == root_ &&
        std::find(members_.begin(), members_.end(), way[1]) == members_.end())
      members_.push_back(way[1]);
  }
  void add(const expressions::node& from) {
    if (const auto* way = std::get_if<path>(&from.what))
      add(*way);
    else if (const auto* applied = std::get_if<expressions::applied>(&from.what))
      for (const auto& operand : applied->operands)
        add(operand);
  }
  std::vector<std::string> take() { return std::move(members_); }

private:
  std::string_view root_;
  std::vector<std::string> members_;
};

/// Reads the gap behind "{{"; the offset behind it, or the text's end if it has no end.
std::size_t read_gap(std::string_view text, std::size_t begin, collector& into) {
  auto from = lexer{text, begin};
  const auto name = from.peek();
  if (!name || name->what != token::kind::name)
    return text.size();
  from.skip();
  const auto way = parse_path(from, name->text);
  if (!way)
    return text.size();
  into.add(*way);
  // A default may be a text with braces in it.
  while (true) {
    const auto next = from.peek();
    if (!next || next->what == token::kind::end)
      return text.size();
    from.skip();
    if (next->is(token::kind::symbol, "}}"))
      return from.offset();
  }
}

} // namespace

std::vector<std::string> members_asked_of(std::string_view root, const std::string& expression) {
  auto found = collector{root};
  if (const auto parsed = expressions::parse(expression))
    found.add(parsed->root);
  return found.take();
}

std::vector<std::string> members_asked_in_template(std::string_view root, std::string_view text) {
  constexpr std::string_view plain = "{{{{";
  auto found = collector{root};
  for (auto at = text.find("{{"); at < text.size(); at = text.find("{{", at))
    at = text.substr(at).starts_with(plain) ? at + plain.size() : read_gap(text, at + 2, found);
  return found.take();
}

} // namespace troupe::config
