#include "actors/io/spawn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <csignal>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// Boost.Process 2 is not used: its launcher (1.81) runs handlers of the io_context in the forked child of a
// program with threads, makes its pipe inheritable for a moment, copies the page tables of the whole program
// (fork), and leaves signal dispositions as they are.

namespace troupe::io {
namespace {

enum class stage : int { session, directory, streams, limits, program };

struct failure_note {
  stage where;
  int code;
};

/// All that the child needs, made beforehand: between vfork and exec it shares our memory and may only make
/// system calls.
struct child_plan {
  const spawn_request* request;
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* directory;
  int note_fd;
  pid_t parent;
};

void announce(int fd, char sign) {
  std::array<char, 16> text;
  auto* begin = text.end();
  *--begin = '\n';
  for (auto rest = ::getpid(); rest > 0; rest /= 10)
    *--begin = static_cast<char>('0' + rest % 10);
  *--begin = ' ';
  *--begin = sign;
  [[maybe_unused]] auto written = ::write(fd, begin, static_cast<std::size_t>(text.end() - begin));
}

[[noreturn]] void give_up(const child_plan& plan, stage where, int code) {
  if (plan.request->announce_fd >= 0)
    announce(plan.request->announce_fd, '-');
  failure_note note{where, code};
  [[maybe_unused]] auto written = ::write(plan.note_fd, &note, sizeof note);
  ::_exit(127);
}

void reset_signals() {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &plain, nullptr);
  // An announcement to a guard that is gone must not end the child.
  plain.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &plain, nullptr);
}

/// The child was in the terminal's process group until it had a session of its own: what came from there
/// meanwhile was for its parent.
constexpr std::array discarded_signals{SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTSTP};

void unblock_signals() {
  struct sigaction plain {};
  // Linux keeps a blocked signal pending even while it is ignored; to ignore it anew discards it.
  for (const int number : discarded_signals)
    for (const auto handler : {SIG_IGN, SIG_DFL}) {
      plain.sa_handler = handler;
      ::sigaction(number, &plain, nullptr);
    }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void keep_only_standard_streams() {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    return;
  // Kernels before 5.11, and sandboxes that do not know the call.
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = 3; fd < static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1u << 16)); ++fd)
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool limit(__rlimit_resource_t what, std::uint64_t soft, std::uint64_t hard) {
  if (soft == 0)
    return true;
  rlimit now{};
  if (::getrlimit(what, &now) < 0)
    return false;
  const rlimit bound{std::min<rlim_t>(soft, now.rlim_max), std::min<rlim_t>(hard, now.rlim_max)};
  return ::setrlimit(what, &bound) == 0;
}

bool apply(const spawn_limits& limits) {
  // The first second past the bound brings SIGXCPU, which can be caught; the next SIGKILL.
  return limit(RLIMIT_DATA, limits.memory, limits.memory) &&
         limit(RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1) &&
         limit(RLIMIT_NOFILE, limits.open_files, limits.open_files) &&
         (!limits.no_new_privileges || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

[[noreturn]] void become_program(const child_plan& plan) {
  const auto& request = *plan.request;
  reset_signals();
  if (::setsid() < 0)
    give_up(plan, stage::session, errno);
  if (request.dies_with_thread) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have ended before the call could tell.
    if (::getppid() != plan.parent)
      ::_exit(127);
  }
  if (request.announce_fd >= 0)
    announce(request.announce_fd, '+');
  if (::dup2(request.in, 0) < 0 || ::dup2(request.out, 1) < 0 || ::dup2(request.err, 2) < 0)
    give_up(plan, stage::streams, errno);
  keep_only_standard_streams();
  if (plan.directory != nullptr && ::chdir(plan.directory) < 0)
    give_up(plan, stage::directory, errno);
  if (!apply(request.limits))
    give_up(plan, stage::limits, errno);
  unblock_signals();
  ::execve(plan.program, plan.argv, plan.envp);
  give_up(plan, stage::program, errno);
}

/// Returns in the parent only, when the child runs its program or has given up.
__attribute__((noinline)) pid_t fork_child(const child_plan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // No handler of ours may run in the child, on our memory.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::vfork();
  if (child == 0)
    become_program(plan);
  const int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = code;
  return child;
}

std::string_view search_path(const spawn_request& request) {
  for (const auto& [name, value] : request.env)
    if (name == "PATH")
      return value;
  return "/usr/local/bin:/usr/bin:/bin";
}

result<std::string> find_program(const spawn_request& request) {
  if (request.command.empty())
    return fail(errc::io_failed, "cannot start a process: the command is empty");
  if (request.command.find('/') != std::string::npos)
    return request.command;
  bool denied = false;
  for (auto rest = search_path(request); !rest.empty();) {
    auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    auto candidate = std::filesystem::path(folder.empty() ? "." : folder) / request.command;
    auto seen = candidate.is_absolute() || request.cwd.empty() ? candidate : request.cwd / candidate;
    std::error_code ec;
    if (!std::filesystem::is_regular_file(seen, ec))
      continue;
    if (::access(seen.c_str(), X_OK) == 0)
      return candidate.string();
    denied = true;
  }
  return fail(errc::io_failed, fmt::format("cannot start '{}': {}", request.command,
                                           denied ? "permission denied" : "not found in PATH"));
}

std::string problem_text(int code) {
  switch (code) {
  case ENOENT:
    return "no such file";
  case EACCES:
    return "permission denied";
  case ENOEXEC:
    return "not a program (a script needs #! in its first line)";
  default:
    return std::strerror(code);
  }
}

error explain(const spawn_request& request, const std::string& program, failure_note note) {
  if (note.where == stage::directory)
    return fail(errc::io_failed,
                fmt::format("cannot start '{}': cwd {} {}", request.command, request.cwd.string(),
                            note.code == ENOENT ? std::string("does not exist")
                                                : "cannot be used: " + problem_text(note.code)));
  if (note.where == stage::limits)
    return fail(errc::io_failed, fmt::format("cannot start '{}': its limits cannot be set: {}",
                                             request.command, std::strerror(note.code)));
  const auto seen = request.cwd / program;
  if (note.code == ENOENT && ::access(seen.c_str(), F_OK) == 0)
    return fail(errc::io_failed,
                fmt::format("cannot start '{}': what runs it (the #! of its first line) is missing",
                            request.command));
  return fail(errc::io_failed,
              fmt::format("cannot start '{}': {}", request.command, problem_text(note.code)));
}

bool has_nul(const spawn_request& request) {
  auto holds = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  return holds(request.command) || std::any_of(request.args.begin(), request.args.end(), holds) ||
         std::any_of(request.env.begin(), request.env.end(),
                     [&](const auto& one) { return holds(one.first) || holds(one.second); });
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  made.reserve(texts.size() + 1);
  for (auto& text : texts)
    made.push_back(text.data());
  made.push_back(nullptr);
  return made;
}

/// Waits until the program runs; reaps the child if it does not.
result<pid_t> await_program(const child_plan& plan, pid_t child, int note_fd) {
  failure_note note{};
  ssize_t size = 0;
  do
    size = ::read(note_fd, &note, sizeof note);
  while (size < 0 && errno == EINTR);
  if (size != sizeof note)
    return child;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return explain(*plan.request, plan.program, note);
}

result<unique_fd> above_standard_streams(int fd) {
  unique_fd given(fd);
  if (fd > 2)
    return given;
  unique_fd moved(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!moved)
    return fail(errc::io_failed, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  return moved;
}

} // namespace

unique_fd& unique_fd::operator=(unique_fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void unique_fd::reset() {
  if (fd_ >= 0)
    ::close(release());
}

result<pipe_ends> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0)
    return fail(errc::io_failed, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  auto reading = above_standard_streams(fds[0]);
  auto writing = above_standard_streams(fds[1]);
  if (!reading || !writing)
    return reading ? writing.error() : reading.error();
  return pipe_ends{std::move(*reading), std::move(*writing)};
}

result<pid_t> spawn(const spawn_request& request) {
  if (has_nul(request))
    return fail(errc::io_failed, "cannot start a process: an argument or variable has a NUL byte");
  auto program = find_program(request);
  if (!program)
    return program.error();
  std::vector<std::string> args{request.command};
  args.insert(args.end(), request.args.begin(), request.args.end());
  std::vector<std::string> env;
  for (const auto& [name, value] : request.env)
    env.push_back(name + "=" + value);
  auto notes = make_pipe();
  if (!notes)
    return notes.error();
  auto argv = pointers(args);
  auto envp = pointers(env);
  const auto directory = request.cwd.string();
  const child_plan plan{&request,
                        program->c_str(),
                        argv.data(),
                        envp.data(),
                        directory.empty() ? nullptr : directory.c_str(),
                        notes->writing.get(),
                        ::getpid()};
  const pid_t child = fork_child(plan);
  if (child < 0)
    return fail(errc::io_failed, fmt::format("cannot start '{}': {}", request.command, problem_text(errno)));
  notes->writing.reset();
  return await_program(plan, child, notes->reading.get());
}

} // namespace troupe::io
