#include "actors/io/process_guard.hpp"

#include "actors/io/log.hpp"
#include "actors/io/sigpipe_shield.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::io {
namespace {

/// `read` fails at the end of the pipe only. The groups stand in one text, each between two spaces.
constexpr const char* script = R"(trap '' HUP INT QUIT TERM PIPE
groups=' '
while read -r sign group; do
  case $sign in
  +) groups="$groups$group " ;;
  -) case $groups in
     *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
     esac ;;
  esac
done
for group in $groups; do
  kill -s KILL -- "-$group"
done
)";

} // namespace

boost::asio::execution_context::id process_guard::id;

process_guard::process_guard(boost::asio::execution_context& owner) : service(owner) {}

process_guard::~process_guard() {
  for (auto group : groups_)
    ::kill(-group, SIGKILL);
  stop();
}

int process_guard::announce_fd() {
  if (!over_ && !runs())
    start();
  return pipe_.get();
}

void process_guard::add(pid_t group) {
  groups_.insert(group);
}

void process_guard::remove(pid_t group) {
  if (groups_.erase(group) == 0 || !pipe_)
    return;
  // A guard that has missed this would kill whoever gets the number next.
  if (!tell('-', group)) {
    stop();
    if (!groups_.empty())
      start();
  }
}

void process_guard::shutdown() {
  over_ = true;
}

bool process_guard::runs() {
  if (shell_ > 0 && ::waitpid(shell_, nullptr, WNOHANG) == 0)
    return true;
  shell_ = -1;
  pipe_.reset();
  return false;
}

void process_guard::start() {
  auto pipe = make_pipe();
  unique_fd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!pipe || !nowhere)
    return;
  spawn_request request;
  request.command = "/bin/sh";
  request.args = {"-c", script, "troupe-guard"};
  request.cwd = "/";
  request.in = pipe->reading.get();
  request.out = request.err = nowhere.get();
  auto started = spawn(request);
  if (!started) {
    log().warn("child processes may outlive a crash of this program: {}", started.error().detail);
    return;
  }
  shell_ = *started;
  pipe_ = std::move(pipe->writing);
  ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  for (auto group : groups_)
    tell('+', group);
}

void process_guard::stop() {
  // The pipe is closed last: its end would make the shell kill groups that are still ours to end.
  if (shell_ > 0) {
    ::kill(shell_, SIGKILL);
    while (::waitpid(shell_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  shell_ = -1;
  pipe_.reset();
}

bool process_guard::tell(char sign, pid_t group) {
  const auto line = fmt::format("{} {}\n", sign, group);
  sigpipe_shield shield;
  return ::write(pipe_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

} // namespace troupe::io
