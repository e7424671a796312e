#include "tests/support/stdio_child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace troupe::testing {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Far more than anything here takes, so that only a hang reaches it.
constexpr milliseconds patience{20000};

void check(int code) {
  if (code != 0)
    throw std::system_error(code, std::generic_category());
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    check(errno);
  return ends;
}

void close_once(int& fd) {
  if (fd >= 0)
    ::close(std::exchange(fd, -1));
}

int until(clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
  return static_cast<int>(std::max(left, milliseconds(0)).count());
}

} // namespace

stdio_child::stdio_child(const std::string& program, const std::vector<std::string>& args) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto in = make_pipe();
  const auto out = make_pipe();
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const auto& arg : args)
    argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  check(::posix_spawn_file_actions_init(&actions));
  check(::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO));
  check(::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO));
  check(::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0));
  check(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ));
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  in_ = in[1];
  out_ = out[0];
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
}

stdio_child::~stdio_child() {
  close_stdin();
  close_stdout();
  if (!status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool stdio_child::write(std::string_view bytes) {
  const auto deadline = clock::now() + patience;
  while (!bytes.empty()) {
    std::array<pollfd, 2> ends{{{in_, POLLOUT, 0}, {out_, POLLIN, 0}}};
    if (::poll(ends.data(), ends.size(), until(deadline)) <= 0)
      return false;
    if (ends[1].revents & POLLIN)
      read_some(milliseconds(0));
    if (!ends[0].revents)
      continue;
    const auto count = ::write(in_, bytes.data(), bytes.size());
    if (count < 0 && errno != EAGAIN)
      return false;
    if (count > 0)
      bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool stdio_child::read_some(milliseconds timeout) {
  pollfd end{out_, POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(timeout.count())) <= 0)
    return false;
  std::array<char, 65536> piece{};
  const auto count = ::read(out_, piece.data(), piece.size());
  if (count <= 0)
    return false;
  buffer_.append(piece.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> stdio_child::read_line() {
  const auto deadline = clock::now() + patience;
  auto end = buffer_.find('\n');
  while (end == std::string::npos) {
    const auto seen = buffer_.size();
    if (!read_some(milliseconds(until(deadline))))
      return std::nullopt;
    end = buffer_.find('\n', seen);
  }
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

void stdio_child::close_stdin() {
  close_once(in_);
}

void stdio_child::close_stdout() {
  close_once(out_);
}

std::optional<int> stdio_child::wait_exit() {
  if (status_)
    return status_;
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (handle < 0)
    check(errno);
  pollfd end{handle, POLLIN, 0};
  const bool gone = ::poll(&end, 1, static_cast<int>(patience.count())) > 0;
  ::close(handle);
  int status = 0;
  if (gone && ::waitpid(pid_, &status, 0) == pid_)
    status_ = status;
  return status_;
}

void stdio_child::send_signal(int signal) {
  ::kill(pid_, signal);
}

} // namespace troupe::testing
