#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace troupe::testing {

/// A program run as a child with its stdin and stdout on pipes; stderr goes to /dev/null. Every wait is
/// bounded. It is killed and reaped when this object goes. For tests: one thread, throws on failure.
class stdio_child {
public:
  explicit stdio_child(const std::string& program, const std::vector<std::string>& args = {});
  ~stdio_child();
  stdio_child(const stdio_child&) = delete;
  stdio_child& operator=(const stdio_child&) = delete;

  /// Writes bytes while reading what the child answers, so that neither waits for the other. False if the
  /// child closed its stdin, or took too long.
  bool write(std::string_view bytes);
  bool write_line(const std::string& line) { return write(line + '\n'); }
  /// The next line of stdout without its newline, or nothing at end of file or when it takes too long.
  std::optional<std::string> read_line();
  void close_stdin();
  void close_stdout();
  /// The status of waitpid(2), or nothing if the child still runs after the time.
  std::optional<int> wait_exit();
  void send_signal(int signal);
  pid_t pid() const noexcept { return pid_; }

private:
  bool read_some(std::chrono::milliseconds timeout);

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string buffer_;
  std::optional<int> status_;
};

} // namespace troupe::testing
