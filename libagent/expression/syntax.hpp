#pragma once

#include "libagent/expression/path.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace re2 {
class RE2;
}

namespace troupe::expressions {

using pattern = std::shared_ptr<const re2::RE2>;

enum class operation {
  // Of any number of operands.
  disjunction,
  conjunction,
  list,
  // Of one.
  negation,
  length,
  lower,
  // Of two.
  equal,
  unequal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  in,
  not_in,
  contains,
  matches,
};

/// As people write it, for errors.
std::string_view to_string(operation what);

struct literal {
  nlohmann::json value;
  /// Only of a pattern: a string after `matches`.
  pattern compiled;
};

struct node;
struct applied {
  operation what;
  std::vector<node> operands;
};

struct node {
  std::variant<literal, path, applied> what;
};

struct syntax {
  node root;
  std::vector<std::string> roots;
};

/// Reads a whole expression; errors as `expression::compile` has them.
result<syntax> parse(std::string_view text);

/// Compiles a pattern of RE2. The error's detail is RE2's, without a place.
result<pattern> compile_pattern(const std::string& text);

/// The value of the expression in the scope.
result<nlohmann::json> evaluate(const node& root, const nlohmann::json& scope);

} // namespace troupe::expressions
