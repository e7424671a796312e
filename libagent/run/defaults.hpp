#pragma once

#include <cstddef>

namespace troupe::defaults {

/// Model calls in one run. The Agents SDKs have the same default.
inline constexpr unsigned max_turns = 10;

/// Bytes of one tool's output that go to the model: about 250,000 tokens, more than most models take.
inline constexpr std::size_t max_tool_output_bytes = 1u << 20;

/// Calls of tools that one run has in flight; models seldom ask for more than a handful at once.
inline constexpr std::size_t max_parallel_tools = 16;

} // namespace troupe::defaults
