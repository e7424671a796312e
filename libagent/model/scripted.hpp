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

/// When a rule applies: all that is given must hold. A condition with neither `tool` nor `output` does not
/// hold right after a tool's output, lest a rule call its tool again and again; right after a handoff it
/// may hold, since the agent that now answers begins with the user's message.
struct condition {
  /// The name of the agent that asks.
  std::optional<std::string> agent;
  /// Searched (not anchored) in the last user message.
  std::shared_ptr<const re2::RE2> user;
  /// The history ends with an output of this tool (the name offered to the model; "*" is any tool, but no
  /// handoff). Of the outputs of tools called in parallel, the first that fits `tool` and `output` counts.
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

/// How an agent's model knows a handoff.
struct named_handoff {
  /// The agent that hands off.
  std::string from;
  std::string to;
  std::string tool;
};

/// All handoffs of the agents, in their order.
std::vector<named_handoff> handoffs_of(const std::vector<agent_definition>& agents);

struct script {
  /// Tried in order; the first that applies answers.
  std::vector<rule> rules;
  /// Time that each answer takes.
  std::chrono::milliseconds delay{0};
  /// Tools of handoffs. One that is not among them is called `handoff_tool_name`.
  std::vector<named_handoff> handoffs{};
};

/// Compiles a regular expression for a condition; error `invalid_argument` with RE2's reason.
result<std::shared_ptr<const re2::RE2>> compile_pattern(const std::string& pattern);

/// Error `invalid_argument` if the text is not a well-formed template: `{{user}}`, `{{agent}}`, `{{1}}` or
/// `{{name}}` (groups of the `user` match), `{{output}}` (text of the last tool output),
/// `{{output.a.b.0}}` (a value inside it, where it is JSON).
result<void> check_template(const std::string& text);

/// Error `invalid_argument` if the rule does nothing or too much, or one of its templates names what its
/// conditions can never give (a group that its `user` pattern lacks, an output without `tool` or `output`).
result<void> check_rule(const rule& candidate);

/// Answers a request. Pure: the same script and request give the same answer, call ids included. A call with
/// other arguments has another id, also where what is left of the history looks like that of an earlier turn.
/// A rule that calls a tool or hands off to an agent that the request does not offer is passed over; of
/// several handoffs to one agent, the first that is offered is called. Usage is an estimate: one token for
/// each 4 bytes of text. Error `model_failed` when no rule applies (it names the tool that a passed-over rule
/// lacked), or a template names what is not there.
result<model_response> answer(const script& rules, const model_request& request);

} // namespace troupe::scripted
