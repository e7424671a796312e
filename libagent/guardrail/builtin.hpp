#pragma once

#include "libagent/guardrail/length.hpp"
#include "libagent/guardrail/pattern.hpp"
#include "libagent/guardrail/pii.hpp"

#include <variant>

namespace troupe::guardrail {

/// The guardrails that need neither a model nor code.
using builtin = std::variant<pattern_rule, length_rule, pii_rule>;

inline verdict check(const builtin& rule, std::string_view text) {
  return std::visit([text](const auto& each) { return check(each, text); }, rule);
}

/// Whether the guardrail may change a text.
inline bool may_rewrite(const builtin& rule) {
  struct action_of {
    action operator()(const pattern_rule& each) const { return each.on_match; }
    action operator()(const length_rule& each) const { return each.on_break; }
    action operator()(const pii_rule& each) const { return each.on_find; }
  };
  return std::visit(action_of{}, rule) == action::rewrite;
}

} // namespace troupe::guardrail
