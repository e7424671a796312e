#pragma once

#include "libagent/model/model.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

/// The scripted provider: an offline model that answers from rules, for demos, tests and CI of agent files.
/// docs/scripted-model.md describes it for users.
namespace troupe::scripted {

/// When a rule applies. All that is given must hold; an empty condition always holds.
struct condition {
  /// The name of the agent that asks.
  std::optional<std::string> agent;
  /// Searched (not anchored) in the last user message.
  std::shared_ptr<const re2::RE2> user;
  /// The last item is the output of a call to this tool (the name offered to the model; "*" is any tool).
  std::optional<std::string> tool;
  /// Searched in that output's text.
  std::shared_ptr<const re2::RE2> output;
};

/// A call to make; strings inside `arguments` are templates.
struct call {
  std::string tool;
  json arguments = json::object();
};

/// What a rule does: exactly one of say, calls or handoff is set, except that `say` may stand beside calls.
struct rule {
  condition when;
  std::optional<std::string> say;
  std::vector<call> calls;
  /// Name of the agent to hand off to.
  std::optional<std::string> handoff;
};

struct script {
  /// Tried in order; the first that applies answers.
  std::vector<rule> rules;
  /// Time that each answer takes.
  std::chrono::milliseconds delay{0};
};

/// Compiles a regular expression for a condition; error `invalid_argument` with RE2's reason.
result<std::shared_ptr<const re2::RE2>> compile_pattern(const std::string& pattern);

/// Error `invalid_argument` if the text is not a well-formed template: `{{user}}`, `{{agent}}`, `{{1}}` or
/// `{{name}}` (groups of the `user` match), `{{output}}` (text of the last tool output),
/// `{{output.a.b.0}}` (a value inside it, where it is JSON).
result<void> check_template(const std::string& text);

/// Answers a request. Pure: the same script and request give the same answer, call ids included.
/// Error `model_failed` when no rule applies, or a template names what is not there.
result<model_response> answer(const script& rules, const model_request& request);

} // namespace troupe::scripted
