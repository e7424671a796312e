#include "tests/actors/io/process_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <csignal>
#include <unistd.h>

namespace troupe::test {
namespace {

/// State and parent of a process, as /proc tells them; 0 if it is gone.
std::pair<char, pid_t> state_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  std::getline(file, text);
  auto name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return {0, 0};
  return {text[name_end + 2], std::stoi(text.substr(name_end + 4))};
}

} // namespace

void process_fixture::start(io::process_options options) {
  auto note = [this](auto change) {
    seen.change([&](process_record& record) {
      record.late += record.exit || record.start_failure ? 1 : 0;
      change(record);
    });
  };
  io::process_handlers handlers;
  handlers.on_started = [note](pid_t pid) { note([&](auto& record) { record.pid = pid; }); };
  handlers.on_start_failed = [note](error reason) {
    note([&](auto& record) { record.start_failure = reason; });
  };
  handlers.on_stdout_lines = [this, note](std::vector<std::string> lines) {
    std::size_t bytes = 0;
    for (const auto& line : lines)
      bytes += line.size();
    note([&](auto& record) { record.lines.insert(record.lines.end(), lines.begin(), lines.end()); });
    if (consumes)
      running->consumed(bytes);
  };
  handlers.on_stderr = [note](std::string text) { note([&](auto& record) { record.stderr_text += text; }); };
  handlers.on_overlong = [note] { note([](auto& record) { ++record.overlong; }); };
  handlers.on_exit = [note](io::process_exit value) { note([&](auto& record) { record.exit = value; }); };
  // Under the lock that every handler takes first, so that they find it.
  seen.change([&](auto&) {
    process = io::child_process::start(reactor, std::move(options), std::move(handlers));
    running = process.get();
  });
}

void process_fixture::start_shell(const std::string& script, io::process_options options) {
  options.command = "/bin/sh";
  options.args = {"-c", script};
  if (options.env.empty())
    options.env = io::child_environment({});
  start(std::move(options));
}

bool process_fixture::has_lines(std::size_t count) {
  return seen.becomes([&](const process_record& record) { return record.lines.size() >= count; });
}

io::process_exit process_fixture::exit() {
  if (!seen.becomes([](const process_record& record) { return record.exit.has_value(); }))
    throw std::runtime_error("the process does not end");
  return *seen.get().exit;
}

bool vanishes(pid_t pid) {
  // Not our child, so there is nothing to wait on but its absence.
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    auto [state, parent] = state_of(std::to_string(pid));
    if (state == 0 || (state == 'Z' && parent != ::getpid()))
      return true;
    std::this_thread::yield();
  }
  return false;
}

int zombies() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    auto [state, parent] = state_of(name);
    count += state == 'Z' && parent == ::getpid() ? 1 : 0;
  }
  return count;
}

} // namespace troupe::test
