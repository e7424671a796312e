#pragma once

#include "libagent/core/json.hpp"

#include <functional>

namespace troupe {

/// A yes or no that depends on a run: an expression of the agent file, or code. Null means yes. The scope is
/// an object with "context" (what the caller gave), "agent", "input" (what the user said last), and where it
/// applies "tool" and "arguments", or "output", "outputs" and "round". Called on the run's actor: it must be
/// quick and must not throw.
using condition = std::function<result<bool>(const json& scope)>;

/// A text that depends on a run: a template of the agent file, or code. As for conditions.
using text_source = std::function<result<std::string>(const json& scope)>;

/// Whether the condition holds; yes if there is none.
inline result<bool> holds(const condition& test, const json& scope) {
  return test ? test(scope) : result<bool>(true);
}

/// When somebody has to say yes before something is done.
struct approval_rule {
  bool needed = false;
  /// Null: always when needed.
  condition when;
};

} // namespace troupe
