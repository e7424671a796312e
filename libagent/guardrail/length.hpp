#pragma once

#include "libagent/guardrail/verdict.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace troupe::guardrail {

/// Acts on a text that is shorter than `min` or longer than `max`, both in code points.
struct length_rule {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
  /// `rewrite` cuts a text that is too long, and rejects one that is too short.
  action on_break = action::trip;
  /// Empty for a standard text.
  std::string message;
};

verdict check(const length_rule& rule, std::string_view text);

} // namespace troupe::guardrail
