#pragma once

#include "libagent/core/result.hpp"
#include "libagent/guardrail/verdict.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace troupe::guardrail {

/// Acts on a text that one of the patterns is found in, or with `must_match` on one that none is found in.
struct pattern_rule {
  std::vector<std::shared_ptr<const re2::RE2>> patterns;
  bool must_match = false;
  action on_match = action::trip;
  /// Empty for a standard text.
  std::string message;
  /// For `rewrite`: stands, as it is, in the place of each match that is not empty; with `must_match`, of the
  /// whole text.
  std::string replacement;
};

/// Compiles a pattern of RE2; error `invalid_argument` with RE2's reason.
result<std::shared_ptr<const re2::RE2>> compile_pattern(const std::string& text);

/// Takes time linear in the text for each pattern, and if it rewrites, for each match.
verdict check(const pattern_rule& rule, std::string_view text);

} // namespace troupe::guardrail
