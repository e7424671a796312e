#include "tests/interop/support/peers.hpp"

#include "tests/interop/support/household.hpp"

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::test {

namespace {

bool ended_within(int handle, std::chrono::milliseconds time) {
  pollfd end{handle, POLLIN, 0};
  return ::poll(&end, 1, static_cast<int>(time.count())) > 0;
}

} // namespace

std::string interop_file(const std::string& path) {
  auto file = std::string(TROUPE_INTEROP_FOLDER) + "/" + path;
  if (!std::filesystem::exists(file))
    throw std::runtime_error(file + " is missing; ./dev test installs what these tests talk to");
  return file;
}

std::string node_program() {
  interop_file("node_modules/@modelcontextprotocol");
  const auto pinned = std::string(TROUPE_INTEROP_FOLDER) + "/node_modules/.bin/node";
  return std::filesystem::exists(pinned) ? pinned : "node";
}

config::mcp_server_options reference_server(const std::string& name, std::vector<std::string> args) {
  config::mcp_server_options server;
  server.name = name;
  server.command = node_program();
  server.args = {interop_file("node_modules/@modelcontextprotocol/server-" + name + "/dist/index.js")};
  server.args.insert(server.args.end(), args.begin(), args.end());
  return server;
}

config::mcp_server_options stub(const std::string& mode, std::vector<std::string> args) {
  config::mcp_server_options server;
  server.name = "stub";
  server.command = TROUPE_PYTHON;
  server.args = {"-B", interop_file("stubs/misbehaving.py"), mode};
  server.args.insert(server.args.end(), args.begin(), args.end());
  server.restart.initial_backoff = std::chrono::milliseconds(20);
  return server;
}

watched_process::watched_process(pid_t pid) : handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
  if (handle_ < 0)
    throw std::system_error(errno, std::generic_category(), "process " + std::to_string(pid));
}

watched_process::~watched_process() {
  ::close(handle_);
}

void watched_process::kill(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, handle_, signal, nullptr, 0) != 0)
    throw std::system_error(errno, std::generic_category());
}

bool watched_process::has_ended() const {
  return ended_within(handle_, std::chrono::milliseconds(0));
}

bool watched_process::ends() const {
  return ended_within(handle_, patience);
}

} // namespace troupe::test
