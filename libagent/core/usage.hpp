#pragma once

#include "libagent/core/json.hpp"

#include <cstdint>

namespace troupe {

/// What models charged for, summed over model calls. Counts of tokens, as the endpoint reported them.
struct usage {
  std::uint64_t requests = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t reasoning_tokens = 0;

  usage& operator+=(const usage& other) noexcept;
  std::uint64_t total_tokens() const noexcept { return input_tokens + output_tokens; }
  friend bool operator==(const usage&, const usage&) = default;
};

/// `{"requests","input_tokens","output_tokens","cached_tokens","reasoning_tokens","total_tokens"}`.
json to_json(const usage& value);

} // namespace troupe
