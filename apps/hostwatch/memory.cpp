#include "apps/hostwatch/memory.hpp"

#include "apps/hostwatch/units.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace troupe::hostwatch {

std::optional<std::uint64_t> meminfo_bytes(std::string_view meminfo, std::string_view entry) {
  while (!meminfo.empty()) {
    const auto end = std::min(meminfo.find('\n'), meminfo.size());
    auto line = meminfo.substr(0, end);
    meminfo.remove_prefix(std::min(end + 1, meminfo.size()));
    if (!line.starts_with(entry) || line.substr(entry.size(), 1) != ":")
      continue;
    line.remove_prefix(std::min(line.find_first_of("0123456789"), line.size()));
    std::uint64_t kibibytes = 0;
    const auto [stop, failure] = std::from_chars(line.data(), line.data() + line.size(), kibibytes);
    return failure == std::errc() ? std::optional(kibibytes * 1024) : std::nullopt;
  }
  return std::nullopt;
}

result<json> memory(std::string_view meminfo) {
  const auto total = meminfo_bytes(meminfo, "MemTotal");
  const auto unused = meminfo_bytes(meminfo, "MemFree");
  if (!total || !unused || *total == 0)
    return fail(errc::io_failed, "/proc/meminfo cannot be read");
  // Kernels before 3.14 do not estimate it.
  const auto available = std::min(meminfo_bytes(meminfo, "MemAvailable").value_or(*unused), *total);
  const auto swap_total = meminfo_bytes(meminfo, "SwapTotal").value_or(0);
  const auto swap_free = std::min(meminfo_bytes(meminfo, "SwapFree").value_or(0), swap_total);

  json figures;
  const auto add = [&figures](const std::string& name, std::uint64_t bytes) {
    figures[name] = human_bytes(bytes);
    figures[name + "_bytes"] = bytes;
  };
  add("total", *total);
  add("available", available);
  add("free", *unused);
  add("used", *total - available);
  add("swap_total", swap_total);
  add("swap_free", swap_free);
  add("swap_used", swap_total - swap_free);
  figures["used_percent"] =
      std::lround(100 * static_cast<double>(*total - available) / static_cast<double>(*total));
  return figures;
}

} // namespace troupe::hostwatch
