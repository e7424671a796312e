#pragma once

#include "libagent/core/json.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::hostwatch {

/// Time that all CPUs together spent since boot, in clock ticks.
struct cpu_times {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
};

/// Reads the first line of /proc/stat (proc(5)). Waiting for I/O counts as idle.
std::optional<cpu_times> parse_cpu_times(std::string_view proc_stat);

/// How busy the CPUs were between two readings, in percent of all of them.
double busy_percent(const cpu_times& before, const cpu_times& after);

/// `{"load_1m","load_5m","load_15m","cpus","busy_percent","measured_ms"}`. Blocks for `interval`, over which
/// busy_percent is measured.
result<json> cpu_load(std::chrono::milliseconds interval);

} // namespace troupe::hostwatch
