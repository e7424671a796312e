#pragma once

#include "libagent/core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace troupe::io {

/// A file descriptor that closes itself.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept;
  ~unique_fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

private:
  int fd_ = -1;
};

struct pipe_ends {
  unique_fd reading;
  unique_fd writing;
};
/// A pipe whose ends are closed in programs that are started, and are none of 0, 1 and 2.
result<pipe_ends> make_pipe();

/// Bounds of a program, which those that it starts inherit. 0: as this process has it; never more than that.
struct spawn_limits {
  /// RLIMIT_DATA, in bytes.
  std::uint64_t memory = 0;
  std::uint64_t cpu_seconds = 0;
  std::uint64_t open_files = 0;
  /// PR_SET_NO_NEW_PRIVS.
  bool no_new_privileges = false;
};

struct spawn_request {
  /// Looked up in the PATH of `env` unless it has a slash; relative paths start at `cwd`.
  std::string command;
  /// Without the command itself.
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  /// Empty: this process's.
  std::filesystem::path cwd;
  /// Become the child's 0, 1 and 2; it gets no other descriptor.
  int in = -1;
  int out = -1;
  int err = -1;
  /// If not -1: the child writes "+ PID\n" here before it becomes the program, and "- PID\n" if it cannot.
  int announce_fd = -1;
  /// SIGKILL to the child when the calling thread ends.
  bool dies_with_thread = false;
  spawn_limits limits{};
};

/// Starts a program in a session and process group of its own, with default signal dispositions and no
/// signal blocked, and returns when it runs. Error `io_failed`: "cannot start 'x': not found in PATH".
result<pid_t> spawn(const spawn_request& request);

} // namespace troupe::io
