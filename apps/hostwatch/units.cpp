#include "apps/hostwatch/units.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string_view>

namespace troupe::hostwatch {

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> names = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024)
    return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // What would be shown as 1024.0 is one of the next unit.
  for (; value >= 1023.95 && unit + 1 < names.size(); ++unit)
    value /= 1024;
  return fmt::format("{:.1f} {}", value, names[unit]);
}

double percent(double part, double whole) {
  return whole > 0 ? std::round(part / whole * 1000) / 10 : 0;
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace troupe::hostwatch
