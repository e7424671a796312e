#pragma once

#include "libagent/core/result.hpp"
#include "libagent/core/usage.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace troupe {

/// What may be spent; what is absent is not bounded.
struct budget {
  std::optional<std::uint64_t> turns;
  std::optional<std::uint64_t> model_calls;
  std::optional<std::uint64_t> tool_calls;
  std::optional<std::uint64_t> input_tokens;
  std::optional<std::uint64_t> output_tokens;
  std::optional<std::uint64_t> total_tokens;
  /// In the currency of the agent file's prices.
  std::optional<double> cost;
  std::optional<std::chrono::milliseconds> wall_time;

  bool is_bounded() const noexcept;
  friend bool operator==(const budget&, const budget&) = default;
};

/// The smaller of each bound.
budget tighter(const budget& left, const budget& right);

/// `{"turns","model_calls","tool_calls","input_tokens","output_tokens","total_tokens","cost","wall_time_ms"}`,
/// each if it is bounded. From JSON: error `invalid_argument` names all that is unknown, negative or of the
/// wrong type.
json to_json(const budget& value);
result<budget> budget_from_json(const json& value);

} // namespace troupe
