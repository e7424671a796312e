#pragma once

#include "actors/io/spawn.hpp"
#include "libagent/core/result.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace troupe::io {

class reactor;

struct process_options {
  /// Looked up in the PATH of `env` unless it has a slash.
  std::string command{};
  std::vector<std::string> args{};
  /// The whole environment of the child; see `child_environment`.
  std::vector<std::pair<std::string, std::string>> env{};
  std::filesystem::path cwd{};
  spawn_limits limits{};
  /// Longest line of stdout; a longer one ends the process (`on_overlong`).
  std::size_t max_line_bytes = 16u << 20;
  /// Bytes of stdout handed over and not yet reported by `consumed`; past this reading pauses.
  std::size_t max_unconsumed_bytes = 1u << 20;
  /// Bytes of stderr that are read in a minute, of which all may come at once; past this the process waits,
  /// as one does whose stderr nobody reads.
  std::uint64_t max_stderr_bytes_a_minute = 64u << 20;
  /// Bytes that may wait to be written to stdin, newlines counted; past this `write_line` fails.
  std::size_t max_write_queue_bytes = 64u << 20;
};

/// How long each stage of a shutdown may take before the next one: close stdin, SIGTERM, SIGKILL.
struct shutdown_stages {
  std::chrono::milliseconds after_stdin_closed{2000};
  std::chrono::milliseconds after_sigterm{2000};
};

struct process_exit {
  /// Exit status, or -1 if a signal ended it or somebody else in this program has reaped it.
  int status = 0;
  /// The signal, or 0.
  int signal = 0;
};
/// "exited with status 1", "killed by SIGKILL".
std::string to_string(const process_exit& value);

/// All are called on the reactor's thread. `on_exit` is the last, exactly once, after both pipes are at
/// their end (or 500 ms after the exit, if a grandchild holds them open) and the process is reaped.
/// If the start fails, only `on_start_failed` is called.
struct process_handlers {
  std::function<void(pid_t)> on_started;
  std::function<void(error)> on_start_failed;
  /// One or more whole lines without their newline (and one carriage return before it); the last may end
  /// without one at end of file. Of several empty lines in a row only the first is handed over.
  std::function<void(std::vector<std::string>)> on_stdout_lines;
  /// Stdout is at its end, and the process runs on: nothing more will be heard from it.
  std::function<void()> on_stdout_closed;
  /// Some bytes of stderr, as they come; drained from the start on, a flood at its pace.
  std::function<void(std::string)> on_stderr;
  /// A line is too long: the process is killed and the rest of its stdout dropped.
  std::function<void()> on_overlong;
  std::function<void(process_exit)> on_exit;
};

/// A child process in a session and process group of its own, with pipes for stdin, stdout and stderr and
/// no other descriptor. Its group is killed when it ends, when this object is destroyed, and when the
/// process of this program ends in whatever way, SIGKILL included (a guard process sees to that). All
/// methods are thread-safe and return at once.
class child_process {
public:
  /// Never blocks the caller: the start happens on the reactor.
  static std::shared_ptr<child_process> start(reactor& io, process_options options,
                                              process_handlers handlers);
  /// Kills the group if it still runs, and reaps it later. Handlers are not called any more; one that runs on
  /// another thread is waited for.
  ~child_process();

  /// Queues a line (the newline is added). False if the queue is full or the pipe is closed.
  bool write_line(std::string line);
  /// Gives back credit for lines that were handed over: their bytes, newlines not counted.
  void consumed(std::size_t bytes);
  /// Ends the process in bounded stages; `on_exit` follows. Lines that are queued still go out, for as long
  /// as the first stage lasts. A second call changes nothing.
  void shutdown(shutdown_stages stages);
  /// SIGKILL to the group, at once.
  void kill();

private:
  class impl;
  explicit child_process(std::shared_ptr<impl> state);
  std::shared_ptr<impl> impl_;
};

/// HOME, LOGNAME, PATH, SHELL, TERM and USER of this process (where set), with `extra` merged over them.
/// A value that begins with "()" is not inherited (shell functions).
std::vector<std::pair<std::string, std::string>>
child_environment(const std::vector<std::pair<std::string, std::string>>& extra);

} // namespace troupe::io
