#include "actors/metrics/process_usage.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe {

namespace {

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream from(file);
  std::ostringstream text;
  text << from.rdbuf();
  return from ? std::move(text).str() : std::string();
}

std::optional<std::size_t> parse_number(std::string_view text) noexcept {
  std::size_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr != text.data() ? std::optional(value) : std::nullopt;
}

/// The path of the cgroup, from the line "0::PATH" (cgroups(7)); "/" if there is none.
std::string_view cgroup_path(std::string_view membership) {
  while (!membership.empty()) {
    const auto end = membership.find('\n');
    const auto line = membership.substr(0, end);
    if (line.starts_with("0::/"))
      return line.substr(3);
    membership.remove_prefix(end == std::string_view::npos ? membership.size() : end + 1);
  }
  return "/";
}

std::size_t count_open_files() {
  std::error_code failed;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", failed), end; !failed && entry != end;
       entry.increment(failed))
    ++count;
  // One is that of the look itself.
  return count > 0 ? count - 1 : 0;
}

/// When the machine was started, since the epoch.
double boot_time() {
  std::ifstream from("/proc/stat");
  for (std::string line; std::getline(from, line);)
    if (line.starts_with("btime "))
      return static_cast<double>(parse_number(std::string_view(line).substr(6)).value_or(0));
  return 0;
}

} // namespace

std::size_t parse_resident_pages(std::string_view statm) noexcept {
  const auto space = statm.find(' ');
  return space == std::string_view::npos ? 0 : parse_number(statm.substr(space + 1)).value_or(0);
}

std::size_t read_resident_bytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  std::array<char, 128> text{};
  const auto size = ::read(file, text.data(), text.size());
  ::close(file);
  return size > 0 ? parse_resident_pages({text.data(), static_cast<std::size_t>(size)}) * page_size() : 0;
}

std::optional<std::size_t> cgroup_memory_limit(std::string_view membership,
                                               const std::filesystem::path& root) {
  std::optional<std::size_t> least;
  auto path = std::filesystem::path(cgroup_path(membership)).relative_path();
  while (true) {
    // "max" is no number.
    if (const auto limit = parse_number(read_text(root / path / "memory.max")))
      least = std::min(least.value_or(*limit), *limit);
    if (path.empty())
      return least;
    path = path.parent_path();
  }
}

std::size_t available_memory() {
  const auto machine = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * page_size();
  const auto limit = cgroup_memory_limit(read_text("/proc/self/cgroup"), "/sys/fs/cgroup");
  return std::min(limit.value_or(machine), machine);
}

process_usage read_process_usage() {
  process_usage used;
  used.resident_bytes = read_resident_bytes();
  used.open_files = count_open_files();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0)
    used.max_files = files.rlim_cur;
  // proc(5): the name, which may hold anything, ends at the last parenthesis; field 3 follows.
  const auto text = read_text("/proc/self/stat");
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return used;
  std::istringstream fields(text.substr(name_end + 1));
  std::array<std::string, 21> field;
  for (auto& each : field)
    fields >> each;
  const auto at = [&](std::size_t number) { return parse_number(field[number - 3]).value_or(0); };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  used.cpu_seconds = static_cast<double>(at(14) + at(15)) / ticks;
  used.threads = at(20);
  used.began = boot_time() + static_cast<double>(at(22)) / ticks;
  used.virtual_bytes = at(23);
  return used;
}

} // namespace troupe
