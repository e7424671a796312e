#pragma once

#include "actors/defaults.hpp"
#include "actors/interfaces.hpp"

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <variant>

namespace troupe {

/// Told of a point in a run, on the run's actor: it must be quick. An exception counts as its failure.
using hook_function = std::function<void(const hook_call&)>;

/// Something that is told of points in runs and can stop them.
struct hook {
  std::set<hook_point> points;
  std::variant<hook_function, hook_actor> handler;
  std::chrono::milliseconds timeout = defaults::hook_timeout;
  /// A failure is logged and the run goes on; otherwise it ends with `hook_failed`.
  bool fails_open = false;
  /// Names it in errors.
  std::string name = "hook";
  /// Agents whose runs it is told of; empty for all.
  std::set<std::string, std::less<>> agents{};
};

} // namespace troupe
