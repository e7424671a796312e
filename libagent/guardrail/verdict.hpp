#pragma once

#include <string>

namespace troupe::guardrail {

/// What a guardrail does about a text.
enum class action {
  pass,
  /// Go on with another text.
  rewrite,
  /// Go on with a word to the model in place of the text.
  reject,
  /// End the run.
  trip,
};

struct verdict {
  action what = action::pass;
  /// For `rewrite`: the new text.
  std::string text;
  /// For `reject`: what the model is told; for `trip`: why, for people; for `rewrite`: what was done. Never
  /// what was found.
  std::string message;
};

} // namespace troupe::guardrail
