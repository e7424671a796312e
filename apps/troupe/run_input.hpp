#pragma once

#include "apps/troupe/command_line.hpp"
#include "libagent/core/result.hpp"
#include "libagent/run/budget.hpp"
#include "libagent/run/interruption.hpp"

#include <memory>
#include <string>
#include <vector>

/// What the options of `troupe run` say, as values. Errors are `invalid_argument` and for people.
namespace troupe::cli {

/// `--context`: a JSON object; null if the text is empty.
result<std::shared_ptr<const json>> read_context(const std::string& text);

/// `--budget`: `KEY=VALUE` each. A wall time is a number of seconds, or has units as in the agent file.
result<budget> read_budget(const std::vector<std::string>& bounds);

/// `--approve`, `--reject` and `--arguments`: one decision for each interruption that they name. Fails for
/// ids that the run does not wait for, and for decisions that contradict each other.
result<std::vector<decision>> read_decisions(const run_options& options,
                                             const std::vector<interruption>& open);

} // namespace troupe::cli
