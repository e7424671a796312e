#include "apps/hostwatch/processes.hpp"

#include "apps/hostwatch/memory.hpp"
#include "apps/hostwatch/units.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace troupe::hostwatch {

namespace {

using clock = std::chrono::steady_clock;

struct sample {
  clock::time_point taken;
  std::vector<process_figures> processes;
};

sample take_sample() {
  sample taken{clock::now(), {}};
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::error_code failure;
  for (std::filesystem::directory_iterator at("/proc", failure), end; !failure && at != end;
       at.increment(failure)) {
    const auto name = at->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    // A process may end between the listing and the reading.
    if (auto process = parse_process(read_text(at->path() / "stat"), page_bytes))
      taken.processes.push_back(std::move(*process));
  }
  return taken;
}

struct measured_process {
  process_figures figures;
  double cpu_percent = 0;
};

std::vector<measured_process> measure(const sample& before, sample after) {
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> earlier;
  for (const auto& process : before.processes)
    earlier[{process.pid, process.start_ticks}] = process.cpu_ticks;
  const std::chrono::duration<double> seconds = after.taken - before.taken;
  const auto ticks = seconds.count() * static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::vector<measured_process> measured;
  for (auto& process : after.processes) {
    const auto found = earlier.find({process.pid, process.start_ticks});
    const auto base = found == earlier.end() ? 0 : found->second;
    const auto spent = process.cpu_ticks > base ? process.cpu_ticks - base : 0;
    measured.push_back({std::move(process), percent(static_cast<double>(spent), ticks)});
  }
  return measured;
}

void sort_by(process_order order, std::vector<measured_process>& processes) {
  std::stable_sort(processes.begin(), processes.end(), [order](const auto& a, const auto& b) {
    const auto key = [order](const measured_process& each) {
      const auto memory = static_cast<double>(each.figures.memory_bytes);
      return order == process_order::cpu ? std::pair(each.cpu_percent, memory)
                                         : std::pair(memory, each.cpu_percent);
    };
    return key(a) > key(b);
  });
}

} // namespace

std::optional<process_figures> parse_process(std::string_view proc_pid_stat, std::uint64_t page_bytes) {
  const auto open = proc_pid_stat.find('(');
  const auto close = proc_pid_stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  process_figures process;
  process.name = to_utf8(proc_pid_stat.substr(open + 1, close - open - 1));
  std::from_chars(proc_pid_stat.data(), proc_pid_stat.data() + open, process.pid);
  std::istringstream rest{std::string(proc_pid_stat.substr(close + 1))};
  // The fields after the name, numbered as in proc(5).
  std::vector<std::string> fields(3);
  for (std::string field; rest >> field;)
    fields.push_back(std::move(field));
  constexpr std::size_t utime = 14, stime = 15, starttime = 22, rss = 24;
  if (fields.size() <= rss)
    return std::nullopt;
  const auto number = [&fields](std::size_t at) {
    std::uint64_t value = 0;
    std::from_chars(fields[at].data(), fields[at].data() + fields[at].size(), value);
    return value;
  };
  process.cpu_ticks = number(utime) + number(stime);
  process.start_ticks = number(starttime);
  process.memory_bytes = number(rss) * page_bytes;
  return process;
}

result<json> top_processes(std::size_t limit, process_order order, std::chrono::milliseconds interval) {
  const auto before = take_sample();
  std::this_thread::sleep_for(interval);
  auto processes = measure(before, take_sample());
  if (processes.empty())
    return fail(errc::io_failed, "/proc shows no processes");
  const auto count = processes.size();
  sort_by(order, processes);
  processes.resize(std::min(limit, count));

  const auto total = meminfo_bytes(read_text("/proc/meminfo"), "MemTotal").value_or(0);
  auto listed = json::array();
  for (const auto& [figures, cpu_percent] : processes)
    listed.push_back(
        {{"pid", figures.pid},
         {"name", figures.name},
         {"cpu_percent", cpu_percent},
         {"memory", human_bytes(figures.memory_bytes)},
         {"memory_bytes", figures.memory_bytes},
         {"memory_percent", percent(static_cast<double>(figures.memory_bytes), static_cast<double>(total))}});
  return json{{"processes", std::move(listed)},
              {"process_count", count},
              {"sorted_by", order == process_order::cpu ? "cpu" : "memory"},
              {"measured_ms", interval.count()}};
}

} // namespace troupe::hostwatch
