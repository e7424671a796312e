#pragma once

#include "actors/io/child_process.hpp"
#include "actors/io/reactor.hpp"
#include "tests/actors/io/await.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace troupe::test {

/// All that a process has told its handlers.
struct process_record {
  pid_t pid = 0;
  std::optional<error> start_failure;
  std::vector<std::string> lines;
  std::string stderr_text;
  int overlong = 0;
  std::optional<io::process_exit> exit;
  /// Calls that came after the last one that may come.
  int late = 0;
};

/// A process on a reactor of its own.
struct process_fixture {
  io::reactor reactor;
  watched<process_record> seen;
  std::shared_ptr<io::child_process> process;
  /// Where handlers find it, also while `process` is being reset.
  io::child_process* running = nullptr;
  /// Whether lines are given back as soon as they come.
  std::atomic<bool> consumes = true;

  process_fixture() = default;
  ~process_fixture() { process.reset(); }

  void start(io::process_options options);
  /// /bin/sh -c `script`.
  void start_shell(const std::string& script, io::process_options options = {});
  bool has_lines(std::size_t count);
  /// Waits for `on_exit`; throws if it does not come.
  io::process_exit exit();
};

/// True once the process is gone: ended, and reaped by its parent.
bool vanishes(pid_t pid);
/// Number of this process's children that have ended and are not reaped.
int zombies();

} // namespace troupe::test
