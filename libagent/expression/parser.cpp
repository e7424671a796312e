#include "libagent/expression/defaults.hpp"
#include "libagent/expression/syntax.hpp"

#include "libagent/core/json.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>

namespace troupe::expressions {

namespace {

using kind = token::kind;

struct spelling {
  std::string_view written;
  operation what;
};

constexpr spelling comparisons[] = {
    {"==", operation::equal},   {"!=", operation::unequal},          {"<=", operation::less_or_equal},
    {"<", operation::less},     {">=", operation::greater_or_equal}, {">", operation::greater},
    {"in", operation::in},      {"contains", operation::contains},   {"matches", operation::matches},
    {"not", operation::not_in},
};

node apply(operation what, std::vector<node> operands) {
  return {applied{what, std::move(operands)}};
}

bool is_either(const token& found, std::string_view word, std::string_view symbol) {
  return found.is(kind::name, word) || found.is(kind::symbol, symbol);
}

/// Recursive descent, a method for each rule of the grammar; each reads its rule and stops at what follows.
class parser {
public:
  explicit parser(std::string_view text) : from_(text) {}

  result<syntax> whole() {
    auto root = disjunction();
    if (!root)
      return root.error();
    const auto rest = from_.peek();
    if (!rest)
      return rest.error();
    if (rest->what != kind::end)
      return from_.expected(after_operand(*rest), *rest);
    return syntax{std::move(*root), std::move(roots_)};
  }

private:
  using rule = result<node> (parser::*)();

  /// A person who writes one `=` or a second comparison is told what to write instead.
  std::string_view after_operand(const token& found) const {
    const bool compares = std::any_of(std::begin(comparisons), std::end(comparisons),
                                      [&](const spelling& one) { return one.written == found.text; });
    return compares ? "'and' or 'or' between two comparisons" : "an operator or the end";
  }

  result<node> disjunction() { return chain(operation::disjunction, "or", "||", &parser::conjunction); }
  result<node> conjunction() { return chain(operation::conjunction, "and", "&&", &parser::negation); }

  result<node> chain(operation what, std::string_view word, std::string_view symbol, rule part) {
    std::vector<node> operands;
    while (true) {
      auto next = (this->*part)();
      if (!next)
        return next.error();
      operands.push_back(std::move(*next));
      const auto found = from_.peek();
      if (!found)
        return found.error();
      if (!is_either(*found, word, symbol))
        break;
      from_.skip();
    }
    return operands.size() == 1 ? std::move(operands.front()) : apply(what, std::move(operands));
  }

  result<node> negation() {
    const auto found = from_.peek();
    if (!found)
      return found.error();
    if (!is_either(*found, "not", "!"))
      return comparison();
    from_.skip();
    return deeper(*found, [this]() -> result<node> {
      auto operand = negation();
      if (!operand)
        return operand.error();
      return apply(operation::negation, one(std::move(*operand)));
    });
  }

  result<node> comparison() {
    auto left = operand();
    if (!left)
      return left.error();
    const auto found = from_.peek();
    if (!found)
      return found.error();
    const auto* written = std::find_if(std::begin(comparisons), std::end(comparisons),
                                       [&](const spelling& each) { return each.written == found->text; });
    if (written == std::end(comparisons) || found->what == kind::string)
      return left;
    from_.skip();
    if (written->what == operation::not_in)
      if (auto missing = require(kind::name, "in"))
        return std::move(*missing);
    auto right = written->what == operation::matches ? pattern_operand() : operand();
    if (!right)
      return right.error();
    auto operands = one(std::move(*left));
    operands.push_back(std::move(*right));
    return apply(written->what, std::move(operands));
  }

  result<node> pattern_operand() {
    const auto found = from_.peek();
    auto right = operand();
    if (!right)
      return right.error();
    auto* fixed = std::get_if<literal>(&right->what);
    if (fixed == nullptr)
      return right;
    if (!fixed->value.is_string())
      return from_.expected("a regular expression in quotes", *found);
    auto compiled = compile_pattern(fixed->value.get_ref<const std::string&>());
    if (!compiled)
      return from_.wrong_at(found->offset, compiled.error().detail);
    fixed->compiled = std::move(*compiled);
    return right;
  }

  result<node> operand() {
    const auto found = from_.peek();
    if (!found)
      return found.error();
    literal fixed;
    const auto is_literal = parse_literal(from_, *found, fixed.value);
    if (!is_literal)
      return is_literal.error();
    if (*is_literal) {
      from_.skip();
      return node{std::move(fixed)};
    }
    if (found->what == kind::name && !is_reserved(found->text))
      return named();
    const bool is_group = found->is(kind::symbol, "(");
    if (!is_group && !found->is(kind::symbol, "["))
      return from_.expected("a value, a path or '('", *found);
    from_.skip();
    return deeper(*found, [&] { return is_group ? grouped() : list(); });
  }

  result<node> grouped() {
    auto inner = disjunction();
    if (!inner)
      return inner.error();
    if (auto missing = require(kind::symbol, ")"))
      return std::move(*missing);
    return inner;
  }

  result<node> list() {
    std::vector<node> elements;
    const auto empty = from_.take(kind::symbol, "]");
    if (!empty)
      return empty.error();
    while (!*empty) {
      auto element = disjunction();
      if (!element)
        return element.error();
      elements.push_back(std::move(*element));
      const auto more = from_.take(kind::symbol, ",");
      if (!more)
        return more.error();
      if (*more)
        continue;
      if (auto missing = require(kind::symbol, "]"))
        return std::move(*missing);
      break;
    }
    return apply(operation::list, std::move(elements));
  }

  /// A call if a bracket follows, else a path.
  result<node> named() {
    const auto name = from_.peek();
    from_.skip();
    const auto is_call = from_.take(kind::symbol, "(");
    if (!is_call)
      return is_call.error();
    if (*is_call)
      return call(*name);
    auto way = parse_path(from_, name->text);
    if (!way)
      return way.error();
    remember_root(roots_, *way);
    return node{std::move(*way)};
  }

  result<node> call(const token& name) {
    if (name.text != "length" && name.text != "lower")
      return from_.expected("the function 'length' or 'lower'", name);
    const auto what = name.text == "length" ? operation::length : operation::lower;
    return deeper(name, [&]() -> result<node> {
      auto argument = grouped();
      if (!argument)
        return argument.error();
      return apply(what, one(std::move(*argument)));
    });
  }

  template <class Read>
  result<node> deeper(const token& opens, Read read) {
    if (++depth_ > defaults::max_expression_depth)
      return from_.wrong_at(opens.offset,
                            fmt::format("nested more than {} levels deep", defaults::max_expression_depth));
    auto inner = read();
    --depth_;
    return inner;
  }

  /// Goes past the token; the error if another is there.
  std::optional<error> require(kind what, std::string_view written) {
    const auto found = from_.peek();
    if (!found)
      return found.error();
    if (!found->is(what, written))
      return from_.expected(fmt::format("'{}'", written), *found);
    from_.skip();
    return std::nullopt;
  }

  static std::vector<node> one(node only) {
    std::vector<node> made;
    made.push_back(std::move(only));
    return made;
  }

  lexer from_;
  std::size_t depth_ = 0;
  std::vector<std::string> roots_;
};

} // namespace

std::string_view to_string(operation what) {
  switch (what) {
  case operation::disjunction:
    return "or";
  case operation::conjunction:
    return "and";
  case operation::list:
    return "list";
  case operation::negation:
    return "not";
  case operation::length:
    return "length";
  case operation::lower:
    return "lower";
  case operation::not_in:
    return "not in";
  default:
    break;
  }
  for (const auto& one : comparisons)
    if (one.what == what)
      return one.written;
  return "?";
}

result<pattern> compile_pattern(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto made = std::make_shared<const re2::RE2>(text, options);
  if (!made->ok())
    return fail(errc::invalid_argument, fmt::format("not a regular expression of RE2: {}", made->error()));
  return pattern(std::move(made));
}

result<syntax> parse(std::string_view text) {
  if (text.size() > defaults::max_expression_bytes)
    return fail(errc::invalid_argument, fmt::format("longer than {} bytes", defaults::max_expression_bytes));
  if (!is_utf8(text))
    return fail(errc::invalid_argument, "not UTF-8");
  return parser(text).whole();
}

} // namespace troupe::expressions
