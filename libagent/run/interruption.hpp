#pragma once

#include "libagent/core/json.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a paused run waits for: somebody's word on one call. In doubt is a call that was under way when the
/// server ended: it may have been carried out or not.
struct interruption {
  enum class kind { tool, handoff, in_doubt };
  /// Names it in decisions; unique in the run, nested runs included.
  std::string id;
  kind what = kind::tool;
  /// The agent that wants to call.
  std::string agent;
  /// As the model was offered it.
  std::string tool;
  /// An object.
  std::shared_ptr<const json> arguments;
};

/// What somebody decided about an interruption. Calls that wait for an approval are approved or rejected; for
/// those in doubt the call is made again, or its result is given, or it has failed.
struct decision {
  enum class verdict { approve, reject, repeat, result, fail };
  std::string id;
  verdict what = verdict::approve;
  /// For a rejection and a failure: what the model is told; empty for a standard text.
  std::string message{};
  /// For an approval: calls of the same tool by the same agent need no other for the rest of the session.
  bool always = false;
  /// For an approval: arguments in place of the model's; an object that fits the tool's schema.
  std::optional<json> arguments{};
  /// For a result: the tool's output.
  std::string output{};
};

/// `{"id","kind":"tool"|"handoff"|"in_doubt","agent","tool","arguments"}`.
json to_json(const interruption& value);
json to_json(const std::vector<interruption>& values);
result<interruption> interruption_from_json(const json& value);

/// `{"id","decision":"approve"|"reject"|"repeat"|"result"|"fail","message"?,"always"?,"arguments"?,"output"?}`,
/// and back. Error `invalid_argument` says
/// which member is wrong and what would be right.
json to_json(const decision& value);
result<decision> decision_from_json(const json& value);

} // namespace troupe
