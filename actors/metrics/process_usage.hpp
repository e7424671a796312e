#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

/// What the kernel says of this process: Linux, proc(5) and cgroup v2.
namespace troupe {

/// What this process has taken; 0 for what cannot be read.
struct process_usage {
  std::size_t resident_bytes = 0;
  std::size_t virtual_bytes = 0;
  double cpu_seconds = 0;
  /// Since the epoch.
  double began = 0;
  std::size_t threads = 0;
  std::size_t open_files = 0;
  std::size_t max_files = 0;
};
process_usage read_process_usage();

/// Resident memory alone, which costs some twenty microseconds. 0 if it cannot be read.
std::size_t read_resident_bytes();

/// The second field of /proc/self/statm, in pages. 0 if that is not what the text is.
std::size_t parse_resident_pages(std::string_view statm) noexcept;

/// The least of the limits that a cgroup of this process, or one that holds it, has; nothing if none has one.
/// `membership`: the text of /proc/self/cgroup; `root`: where cgroup v2 is mounted.
std::optional<std::size_t> cgroup_memory_limit(std::string_view membership,
                                               const std::filesystem::path& root);

/// Of the cgroup, or all that the machine has.
std::size_t available_memory();

} // namespace troupe
