#pragma once

#include "actors/metrics/metrics.hpp"
#include "actors/metrics/process_usage.hpp"
#include "actors/supervision.hpp"

#include <string>

namespace troupe {

/// All that is known in Prometheus' text format, version 0.0.4: what was counted, how the parts are, and what
/// the process has taken. `system` may be null. Ways to end that nothing took are left out.
std::string exposition(const metrics& counted, const system_status* system, const process_usage& process);

/// The `Content-Type` of that.
inline constexpr auto exposition_type = "text/plain; version=0.0.4; charset=utf-8";

} // namespace troupe
