#include "libagent/expression/template.hpp"

#include "libagent/expression/defaults.hpp"
#include "libagent/expression/path.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace troupe {

namespace {

using expressions::lexer;
using expressions::path;
using expressions::token;

struct gap {
  path way;
  /// Null if there is none.
  json fallback;
};

using piece = std::variant<std::string, gap>;

/// Reads ` | default LITERAL` if it is there.
result<json> parse_default(lexer& from) {
  const auto filtered = from.take(token::kind::symbol, "|");
  if (!filtered)
    return filtered.error();
  json fallback;
  if (!*filtered)
    return fallback;
  const auto word = from.peek();
  if (!word)
    return word.error();
  if (!word->is(token::kind::name, "default"))
    return from.expected("'default'", *word);
  from.skip();
  const auto found = from.peek();
  if (!found)
    return found.error();
  const auto is_literal = parse_literal(from, *found, fallback);
  if (!is_literal)
    return is_literal.error();
  if (!*is_literal)
    return from.expected("a string, a number, true, false or null", *found);
  from.skip();
  return fallback;
}

/// Reads what stands after "{{", with its "}}".
result<gap> parse_gap(lexer& from) {
  const auto name = from.peek();
  if (!name)
    return name.error();
  if (name->what != token::kind::name || expressions::is_reserved(name->text))
    return from.expected("a path (write \"{{{{\" for two plain braces)", *name);
  from.skip();
  auto way = parse_path(from, name->text);
  if (!way)
    return way.error();
  auto fallback = parse_default(from);
  if (!fallback)
    return fallback.error();
  const auto close = from.peek();
  if (!close)
    return close.error();
  if (!close->is(token::kind::symbol, "}}"))
    return from.expected("'}}'", *close);
  from.skip();
  return gap{std::move(*way), std::move(*fallback)};
}

void append(std::string& text, const json& value) {
  if (const auto* plain = value.get_ptr<const std::string*>())
    text += *plain;
  else if (!value.is_null())
    text += dump_json(value);
}

} // namespace

struct text_template::compiled {
  std::vector<piece> pieces;
  std::vector<std::string> roots;
};

text_template::text_template(std::shared_ptr<const compiled> impl) : impl_(std::move(impl)) {}

result<text_template> text_template::compile(std::string_view text) {
  if (text.size() > defaults::max_template_bytes)
    return fail(errc::invalid_argument, fmt::format("longer than {} bytes", defaults::max_template_bytes));
  if (!is_utf8(text))
    return fail(errc::invalid_argument, "not UTF-8");
  auto made = std::make_shared<compiled>();
  std::string plain;
  std::size_t at = 0;
  while (true) {
    const auto open = text.find("{{", at);
    plain += text.substr(at, open - at);
    if (open == std::string_view::npos)
      break;
    at = open + 2;
    if (text.substr(at).starts_with("{{")) {
      plain += "{{";
      at += 2;
      continue;
    }
    auto from = lexer(text, at);
    auto read = parse_gap(from);
    if (!read)
      return read.error();
    at = from.offset();
    if (!plain.empty())
      made->pieces.emplace_back(std::exchange(plain, {}));
    expressions::remember_root(made->roots, read->way);
    made->pieces.emplace_back(std::move(*read));
  }
  if (!plain.empty())
    made->pieces.emplace_back(std::move(plain));
  return text_template(std::move(made));
}

result<std::string> text_template::render(const json& scope) const {
  std::string text;
  for (const auto& each : impl_->pieces) {
    if (const auto* plain = std::get_if<std::string>(&each)) {
      text += *plain;
    } else {
      const auto& hole = std::get<gap>(each);
      const auto* value = expressions::follow(scope, hole.way);
      append(text, value == nullptr || value->is_null() ? hole.fallback : *value);
    }
    if (text.size() > defaults::max_rendered_bytes)
      return fail(errc::invalid_argument,
                  fmt::format("the text would be longer than {} bytes", defaults::max_rendered_bytes));
  }
  return text;
}

const std::vector<std::string>& text_template::roots() const noexcept {
  return impl_->roots;
}

} // namespace troupe
