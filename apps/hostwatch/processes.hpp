#pragma once

#include "libagent/core/json.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::hostwatch {

/// What /proc/PID/stat tells of a process.
struct process_figures {
  int pid = 0;
  std::string name;
  std::uint64_t cpu_ticks = 0;
  /// Together with the pid it names a process for good.
  std::uint64_t start_ticks = 0;
  std::uint64_t memory_bytes = 0;
};

/// Reads a line of /proc/PID/stat (proc(5)). The name may hold spaces and parentheses.
std::optional<process_figures> parse_process(std::string_view proc_pid_stat, std::uint64_t page_bytes);

enum class process_order { cpu, memory };

/// `{"processes":[{"pid","name","cpu_percent","memory","memory_bytes","memory_percent"}],"process_count",
/// "sorted_by","measured_ms"}`, the largest first. cpu_percent is of one CPU, measured over `interval`, for
/// which it blocks. Command lines are not shown: they may hold secrets.
result<json> top_processes(std::size_t limit, process_order order, std::chrono::milliseconds interval);

} // namespace troupe::hostwatch
