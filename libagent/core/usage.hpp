#pragma once

#include "libagent/core/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What was spent, summed over model calls. Counts of tokens, as the endpoint reported them.
struct usage {
  std::uint64_t requests = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t reasoning_tokens = 0;
  /// Calls of tools that were begun, agents as tools among them; no model charges for them.
  std::uint64_t tool_calls = 0;

  usage& operator+=(const usage& other) noexcept;
  std::uint64_t total_tokens() const noexcept { return input_tokens + output_tokens; }
  friend bool operator==(const usage&, const usage&) = default;
};

/// What one agent spent with one model.
struct usage_share {
  std::string agent;
  /// By its name in the configuration.
  std::string model;
  usage used;
  friend bool operator==(const usage_share&, const usage_share&) = default;
};

/// What a run or a session spent, with all that it started.
class usage_report {
public:
  void add(std::string_view agent, std::string_view model, const usage& used);
  usage_report& operator+=(const usage_report& other);

  /// A tool that the agent has called, for a model's answer or what went before it.
  void add_tool_call(std::string_view agent);

  usage total() const noexcept;
  /// In the order of their first call; each pair of agent and model once.
  const std::vector<usage_share>& shares() const noexcept { return shares_; }
  friend bool operator==(const usage_report&, const usage_report&) = default;

private:
  std::vector<usage_share> shares_;
};

/// The total's members, and `"agents":{NAME:{...}}`, `"models":{NAME:{...}}` with the same members each.
json to_json(const usage_report& value);
/// As kept in a store: `[{"agent","model","requests",...}]`, and back; error `malformed`.
json shares_to_json(const usage_report& value);
result<usage_report> shares_from_json(const json& value);

/// `{"requests","input_tokens","output_tokens","cached_tokens","reasoning_tokens","total_tokens","tool_calls"}`.
json to_json(const usage& value);

} // namespace troupe
