#pragma once

#include "actors/metrics/metrics.hpp"
#include "libagent/core/errc.hpp"
#include "libagent/core/usage.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the parts of a runtime count. Made once, when the parts are; counting looks no name up. Default-made
/// ones count nothing. Names and meanings: docs/metrics.md.
namespace troupe {

using std::chrono::nanoseconds;

/// For labels: how something ended that an error may end.
class endings {
public:
  endings() = default;
  /// `labels` go with each; the ending is the label "ending".
  endings(metrics& all, const std::string& name, const std::string& help, const metrics::labels& labels);
  /// Nothing: it was done well.
  void count(std::optional<errc> code = std::nullopt) const;

private:
  /// By code; the first is for what was done well.
  std::array<counter, static_cast<std::size_t>(errc::internal) + 1> counters_{};
};

/// Calls of one model.
struct model_measures {
  endings calls;
  histogram seconds;
  counter input_tokens;
  counter cached_tokens;
  counter output_tokens;
  counter reasoning_tokens;

  void used(const usage& tokens) const;
};

/// Calls of one source of tools.
struct tool_measures {
  counter succeeded;
  counter failed;
  histogram seconds;

  void ended(bool is_error, nanoseconds took) const;
};

/// What runs count: of all models and sources of tools.
struct run_measures {
  std::map<std::string, model_measures, std::less<>> models;
  std::map<std::string, tool_measures, std::less<>> servers;
  /// Tools in code, and agents that are called as tools.
  tool_measures code;
  tool_measures agents;

  /// Null for one that is not known. For each call: a look into a small map.
  const model_measures* model(std::string_view name) const;
};
std::shared_ptr<const run_measures> make_run_measures(metrics& all, const std::vector<std::string>& models,
                                                      const std::vector<std::string>& servers);

/// What sessions count.
struct session_measures {
  /// Runs that are over, or have paused.
  endings runs;
  counter paused;
  histogram seconds;
  counter refused_runs;
  counter refused_queue;
  counter refused_memory;
  counter refused_prompt;
  counter cut_histories;
  /// How many were before a prompt that had to wait.
  histogram queue;
};
std::shared_ptr<const session_measures> make_session_measures(metrics& all);

/// What a store counts.
struct store_measures {
  /// Additions in one write, which is one transaction and with `durability: full` one fsync.
  histogram batch;
  histogram seconds;
  counter failed;
};
store_measures make_store_measures(metrics& all);

/// Counts what is refused at a bound: `troupe_refusals_total`.
counter count_refusals(metrics& all, const std::string& bound, const std::string& reason);
/// Shows where a bound is: `troupe_bound_limit`. `name`: of the part that has it; may be empty.
void show_limit(metrics& all, const std::string& bound, double limit, const std::string& name = {});

inline double in_seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

} // namespace troupe
