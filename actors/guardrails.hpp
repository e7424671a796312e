#pragma once

#include "actors/defaults.hpp"
#include "actors/interfaces.hpp"
#include "libagent/guardrail/builtin.hpp"
#include "libagent/guardrail/judge.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <variant>

namespace troupe {

/// A guardrail given in code. Called in an actor of its own, so it may take its time. An exception, like an
/// error, ends the run.
using guardrail_function = std::function<result<guardrail::verdict>(const guardrail_question&)>;

/// A model as judge, ready to be asked.
struct judge {
  guardrail::judge_rule rule;
  std::string model_name;
  model_actor model;
};

/// A guardrail as agents name it.
struct named_guardrail {
  std::variant<guardrail::builtin, judge, guardrail_function, guardrail_actor> check;
  /// For one that is asked: one that does not answer in time ends the run.
  std::chrono::milliseconds timeout = defaults::guardrail_timeout;
};
using guardrail_map = std::map<std::string, named_guardrail, std::less<>>;

} // namespace troupe
