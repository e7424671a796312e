#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

/// What a program that Troupe starts may use, and what it gets to see.
namespace troupe::config {

/// Of the program and of each process that it starts, one by one. Nothing given: what Troupe itself may.
struct child_limits {
  /// Bytes of memory that it may write to and shares with nobody (RLIMIT_DATA); address space that is only
  /// reserved does not count.
  std::optional<std::uint64_t> memory{};
  /// Of computing, after which it gets SIGXCPU.
  std::optional<std::uint64_t> cpu_seconds{};
  std::optional<std::uint64_t> open_files{};
  /// Programs that it starts gain no rights by their files (set-user-ID, capabilities).
  bool no_new_privileges = false;
  friend bool operator==(const child_limits&, const child_limits&) = default;
};

/// A file system of its own, in which nothing can be written but what is named, and no network.
struct sandbox_options {
  /// Absolute; beside the folders of the system and the working directory.
  std::vector<std::filesystem::path> read_only{};
  std::vector<std::filesystem::path> writable{};
  bool network = false;
  friend bool operator==(const sandbox_options&, const sandbox_options&) = default;
};

} // namespace troupe::config
