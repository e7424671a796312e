#pragma once

#include "libagent/config/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// A text after substitution.
struct substitution {
  std::string text;
  /// Whether a variable was asked for; then the text may be a secret.
  bool substituted = false;
  /// What is wrong, without any value. The text is of no use then.
  std::vector<std::string> problems;
};

/// Replaces `${NAME}` and `${NAME:-default}` (taken when the variable is unset or empty; it may hold further
/// variables) by what `env` gives, and `$${` by `${`. What is put in is not looked at again.
substitution substitute(std::string_view text, const environment& env);

} // namespace troupe::config
