#include "apps/hostwatch/cpu.hpp"

#include "apps/hostwatch/units.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>

#include <unistd.h>

namespace troupe::hostwatch {

std::optional<cpu_times> parse_cpu_times(std::string_view proc_stat) {
  std::istringstream line{std::string(proc_stat.substr(0, proc_stat.find('\n')))};
  std::string name;
  // user nice system idle iowait irq softirq steal; the two after them are contained in user and nice.
  std::array<std::uint64_t, 8> ticks{};
  line >> name;
  for (auto& value : ticks)
    line >> value;
  if (name != "cpu" || line.fail())
    return std::nullopt;
  cpu_times times;
  for (const auto value : ticks)
    times.total += value;
  times.busy = times.total - ticks[3] - ticks[4];
  return times;
}

double busy_percent(const cpu_times& before, const cpu_times& after) {
  // The kernel's count of waiting for I/O may go back a little (proc(5)).
  if (after.total <= before.total || after.busy <= before.busy)
    return 0;
  const auto busy = static_cast<double>(after.busy - before.busy);
  const auto total = static_cast<double>(after.total - before.total);
  return busy >= total ? 100 : percent(busy, total);
}

result<json> cpu_load(std::chrono::milliseconds interval) {
  std::array<double, 3> loads{};
  if (::getloadavg(loads.data(), static_cast<int>(loads.size())) != static_cast<int>(loads.size()))
    return fail(errc::io_failed, "the load average cannot be read");
  const auto before = parse_cpu_times(read_text("/proc/stat"));
  std::this_thread::sleep_for(interval);
  const auto after = parse_cpu_times(read_text("/proc/stat"));
  if (!before || !after)
    return fail(errc::io_failed, "/proc/stat cannot be read");
  for (auto& load : loads)
    load = std::round(load * 100) / 100;
  return json{{"load_1m", loads[0]},
              {"load_5m", loads[1]},
              {"load_15m", loads[2]},
              {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
              {"busy_percent", busy_percent(*before, *after)},
              {"measured_ms", interval.count()}};
}

} // namespace troupe::hostwatch
