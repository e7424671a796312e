#pragma once

#include "libagent/core/json.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a paused run waits for: somebody's word on one call.
struct interruption {
  enum class kind { tool, handoff };
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

/// What somebody decided about an interruption.
struct decision {
  enum class verdict { approve, reject };
  std::string id;
  verdict what = verdict::approve;
  /// For a rejection: what the model is told; empty for a standard text.
  std::string message{};
  /// For an approval: calls of the same tool by the same agent need no other for the rest of the session.
  bool always = false;
  /// For an approval: arguments in place of the model's; an object that fits the tool's schema.
  std::optional<json> arguments{};
};

/// `{"id","kind":"tool"|"handoff","agent","tool","arguments"}`.
json to_json(const interruption& value);
json to_json(const std::vector<interruption>& values);
result<interruption> interruption_from_json(const json& value);

/// `{"id","decision":"approve"|"reject","message"?,"always"?,"arguments"?}`. Error `invalid_argument` says
/// which member is wrong and what would be right.
result<decision> decision_from_json(const json& value);

} // namespace troupe
