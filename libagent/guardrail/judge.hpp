#pragma once

#include "libagent/guardrail/verdict.hpp"
#include "libagent/model/model.hpp"

#include <string>
#include <string_view>

namespace troupe::guardrail {

/// A model as judge.
struct judge_rule {
  /// What is allowed and what is not, in words for the model.
  std::string instructions;
  /// What to do with a text that is not allowed: `reject` or `trip`.
  action on_violation = action::trip;
  /// For a rejection: what the answering model is told; empty for the judge's reason.
  std::string message;
};

/// The question to the judge: `what` names the kind of text, as in "the user's input".
model_request ask_judge(const judge_rule& rule, std::string_view what, std::string_view text);

/// Reads the judge's answer. Error `model_failed` for one that is no judgement.
result<verdict> read_judgement(const judge_rule& rule, const model_response& answer);

} // namespace troupe::guardrail
