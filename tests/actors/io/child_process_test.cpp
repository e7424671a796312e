#include "tests/actors/io/process_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

constexpr io::shutdown_stages patient{20s, 20s};

std::vector<std::string> lines_of(process_fixture& child) {
  return child.seen.get().lines;
}

} // namespace

TEST_CASE("lines go to a process and come back") {
  process_fixture child;
  child.start({.command = "cat", .env = io::child_environment({})});
  CHECK(child.process->write_line("one"));
  CHECK(child.process->write_line("two\r"));
  CHECK(child.process->write_line(""));
  CHECK(child.process->write_line("three"));
  REQUIRE(child.has_lines(4));
  CHECK(lines_of(child) == std::vector<std::string>{"one", "two", "", "three"});
  child.process->shutdown(patient);
  CHECK(io::to_string(child.exit()) == "exited with status 0");
  CHECK_FALSE(child.process->write_line("late"));
  CHECK(zombies() == 0);
}

TEST_CASE("an 8 MiB line passes both ways, past the credit") {
  process_fixture child;
  child.start({.command = "cat", .env = io::child_environment({}), .max_unconsumed_bytes = 1000});
  const std::string big(8u << 20, 'x');
  CHECK(child.process->write_line(big));
  CHECK(child.process->write_line("end"));
  REQUIRE(child.has_lines(2));
  CHECK(lines_of(child)[0] == big);
  CHECK(lines_of(child)[1] == "end");
}

TEST_CASE("reading pauses until lines are consumed") {
  process_fixture child;
  child.consumes = false;
  child.start_shell("yes 0123456789 | head -n 100000 & while read -r x; do printf . >&2; done; wait",
                    {.max_unconsumed_bytes = 5000});
  REQUIRE(child.has_lines(1));
  // Rounds in which the rest would come if nothing held it back.
  for (std::size_t round = 1; round <= 100; ++round) {
    child.process->write_line("");
    REQUIRE(child.seen.becomes([&](const auto& record) { return record.stderr_text.size() >= round; }));
  }
  const auto before = lines_of(child).size();
  // The credit, and one read beyond it.
  CHECK(10 * before <= 5000 + (64u << 10));
  child.consumes = true;
  child.process->consumed(10 * before);
  CHECK(child.has_lines(100'000));
}

TEST_CASE("a megabyte of stderr does not stop a process") {
  process_fixture child;
  child.start_shell("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo done");
  child.exit();
  CHECK(lines_of(child) == std::vector<std::string>{"done"});
  CHECK(child.seen.get().stderr_text == std::string(1'000'000, 'x'));
}

TEST_CASE("a process that floods its stderr waits once a minute's worth is read") {
  process_fixture child;
  child.start_shell("yes 0123456789 >&2 & while read -r x; do echo .; done",
                    {.max_stderr_bytes_a_minute = 100'000});
  // Rounds in which the flood would go on if nothing held it back.
  for (std::size_t round = 1; round <= 100; ++round) {
    child.process->write_line("");
    REQUIRE(child.has_lines(round));
  }
  REQUIRE(child.seen.becomes([](const auto& record) { return record.stderr_text.size() >= 100'000; }));
  // One read beyond it, and what a minute adds.
  CHECK(child.seen.get().stderr_text.size() <= 200'000 + (64u << 10));
}

TEST_CASE("the last line needs no newline, and floods of empty ones cost nothing") {
  process_fixture child;
  child.start_shell("head -c 3000000 /dev/zero | tr '\\0' '\\n'; printf last");
  child.exit();
  CHECK(lines_of(child) == std::vector<std::string>{"", "last"});
}

TEST_CASE("an overlong line ends the process, once") {
  process_fixture child;
  child.start_shell("echo fits; head -c 300000 /dev/zero | tr '\\0' x; echo; echo more; sleep 1000",
                    {.max_line_bytes = 100'000});
  CHECK(io::to_string(child.exit()) == "killed by SIGKILL");
  CHECK(lines_of(child) == std::vector<std::string>{"fits"});
  CHECK(child.seen.get().overlong == 1);
}

TEST_CASE("exit statuses and signals are told apart") {
  process_fixture child;
  SECTION("a status") {
    child.start_shell("exit 3");
    auto value = child.exit();
    CHECK(value.status == 3);
    CHECK(value.signal == 0);
    CHECK(io::to_string(value) == "exited with status 3");
  }
  SECTION("a signal") {
    child.start_shell("kill -SEGV $$");
    auto value = child.exit();
    CHECK(value.status == -1);
    CHECK(value.signal == SIGSEGV);
    CHECK(io::to_string(value) == "killed by SIGSEGV");
  }
  CHECK(child.seen.get().late == 0);
  CHECK(zombies() == 0);
}

TEST_CASE("a process that cannot be started says why") {
  char folder[] = "/tmp/troupe-spawn-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string place = folder;
  std::ofstream(place + "/plain") << "not a program\n";
  std::ofstream(place + "/orphan") << "#!/nowhere/interpreter\n";
  std::filesystem::permissions(place + "/orphan", std::filesystem::perms::owner_all);
  auto failure = [&](io::process_options options) {
    process_fixture child;
    options.env.emplace_back("PATH", place);
    child.start(std::move(options));
    REQUIRE(child.seen.becomes([](const auto& record) { return record.start_failure.has_value(); }));
    CHECK(child.seen.get().start_failure->code == errc::io_failed);
    CHECK_FALSE(child.process->write_line("x"));
    return child.seen.get().start_failure->detail;
  };
  CHECK(failure({.command = "uvx"}) == "cannot start 'uvx': not found in PATH");
  CHECK(failure({.command = "plain"}) == "cannot start 'plain': permission denied");
  CHECK(failure({.command = place + "/plain"}) == "cannot start '" + place + "/plain': permission denied");
  CHECK(failure({.command = "/nowhere/x"}) == "cannot start '/nowhere/x': no such file");
  CHECK(failure({.command = "orphan"}) ==
        "cannot start 'orphan': what runs it (the #! of its first line) is missing");
  CHECK(failure({.command = "/bin/cat", .cwd = "/nowhere"}) ==
        "cannot start '/bin/cat': cwd /nowhere does not exist");
  CHECK(failure({.command = ""}) == "cannot start a process: the command is empty");
  CHECK(zombies() == 0);
  std::filesystem::remove_all(place);
}

TEST_CASE("the command is looked up in the child's PATH, and runs in its cwd") {
  char folder[] = "/tmp/troupe-spawn-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string place = std::filesystem::canonical(folder);
  std::filesystem::create_symlink("/bin/pwd", place + "/where-am-i");
  process_fixture child;
  child.start({.command = "where-am-i", .env = {{"PATH", "/nowhere:" + place}}, .cwd = place});
  CHECK(child.exit().status == 0);
  CHECK(lines_of(child) == std::vector<std::string>{place});
  std::filesystem::remove_all(place);
}

TEST_CASE("a child gets no descriptor but its three, no blocked and no ignored signal") {
  // An embedder's carelessness: inheritable, on a number of its own.
  const int leaked = ::open("/dev/null", O_RDONLY);
  const int high = ::dup2(leaked, 500);
  std::signal(SIGPIPE, SIG_IGN);
  process_fixture child;
  child.start_shell("n=3; while [ $n -lt 600 ]; do [ -L /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; "
                    "exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
  child.exit();
  std::signal(SIGPIPE, SIG_DFL);
  ::close(leaked);
  ::close(high);
  auto lines = lines_of(child);
  CHECK(lines == std::vector<std::string>{"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"});
}

TEST_CASE("what a terminal sends to the parent's group while a child is made does not end the child") {
  // In a group of its own, so that the signals hit nobody else.
  const auto group = ::getpgrp();
  ::setpgid(0, 0);
  std::signal(SIGINT, SIG_IGN);
  std::atomic<bool> enough = false;
  std::thread terminal([&enough] {
    while (!enough)
      ::kill(0, SIGINT);
  });
  for (int i = 0; i < 20; ++i) {
    process_fixture child;
    child.start({.command = "true", .env = io::child_environment({})});
    CHECK(io::to_string(child.exit()) == "exited with status 0");
  }
  enough = true;
  terminal.join();
  std::signal(SIGINT, SIG_DFL);
  ::setpgid(0, group);
}

TEST_CASE("a child has a session and a process group of its own") {
  process_fixture child;
  child.start_shell("ps -o pid=,pgid=,sid= -p $$ || true; echo; sed 's/.*) //' /proc/$$/stat");
  child.exit();
  const auto pid = std::to_string(child.seen.get().pid);
  // State, parent, group, session.
  const auto stat = lines_of(child).back();
  CHECK_THAT(stat, Catch::Contains(" " + pid + " " + pid + " "));
}

TEST_CASE("writing to a process that is gone fails and raises nothing") {
  process_fixture child;
  child.start_shell("exec 0<&-; echo closed; sleep 1000");
  REQUIRE(child.has_lines(1));
  // SIGPIPE would end this program.
  const auto end = std::chrono::steady_clock::now() + patience;
  while (child.process->write_line("x") && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  CHECK_FALSE(child.process->write_line("x"));
}

TEST_CASE("the write queue is bounded") {
  process_fixture child;
  child.start_shell("sleep 1000", {.max_write_queue_bytes = 100'000});
  CHECK_FALSE(child.process->write_line(std::string(100'000, 'x')));
  bool refused = false;
  for (int i = 0; i < 100 && !refused; ++i)
    refused = !child.process->write_line(std::string(9'999, 'x'));
  CHECK(refused);
}

TEST_CASE("a process that ends at the end of its input needs no signal") {
  process_fixture child;
  child.start_shell("while read -r line; do echo \"got $line\"; done; echo bye; exit 7");
  for (int i = 0; i < 1000; ++i)
    CHECK(child.process->write_line(std::to_string(i)));
  child.process->shutdown(patient);
  CHECK(child.exit().status == 7);
  // What was queued still went out.
  auto lines = lines_of(child);
  REQUIRE(lines.size() == 1001);
  CHECK(lines[999] == "got 999");
  CHECK(lines[1000] == "bye");
}

TEST_CASE("a process that ignores the end of its input gets SIGTERM") {
  process_fixture child;
  child.start_shell("trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(child.has_lines(1));
  child.process->shutdown({30ms, 20s});
  CHECK(child.exit().status == 5);
  CHECK(lines_of(child).back() == "term");
}

TEST_CASE("a process that ignores SIGTERM too gets SIGKILL, with its whole group") {
  process_fixture child;
  child.start_shell("trap '' TERM; sleep 1000 & echo $!; wait");
  REQUIRE(child.has_lines(1));
  child.process->shutdown({20ms, 20ms});
  child.process->shutdown({20s, 20s});
  CHECK(child.exit().signal == SIGKILL);
  CHECK(vanishes(std::stoi(lines_of(child)[0])));
}

TEST_CASE("a grandchild that is left behind is killed when the process ends") {
  process_fixture child;
  child.start_shell("sleep 1000 & echo $!");
  CHECK(child.exit().status == 0);
  CHECK(vanishes(std::stoi(lines_of(child)[0])));
}

TEST_CASE("a grandchild that holds the pipes does not keep the exit back") {
  process_fixture child;
  // In a session of its own it is out of the group's reach.
  child.start_shell("setsid sh -c 'echo $$; exec sleep 1000' & read -r go; printf tail");
  REQUIRE(child.has_lines(1));
  child.process->write_line("go");
  CHECK(child.exit().status == 0);
  CHECK(lines_of(child).back() == "tail");
  // Still alive, so it did hold them; to be ended here.
  CHECK(::kill(std::stoi(lines_of(child)[0]), SIGKILL) == 0);
}

TEST_CASE("kill ends a process at once") {
  process_fixture child;
  child.start_shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  REQUIRE(child.has_lines(1));
  child.process->kill();
  CHECK(child.exit().signal == SIGKILL);
  child.process->kill();
  child.process->shutdown(patient);
  CHECK(child.seen.get().late == 0);
}

TEST_CASE("the end of the object kills the process and silences its handlers") {
  process_fixture child;
  child.start_shell("sleep 1000 & echo $!; while :; do echo x; done");
  REQUIRE(child.has_lines(1));
  const auto pid = child.seen.get().pid;
  const auto grandchild = std::stoi(lines_of(child)[0]);
  child.process.reset();
  const auto lines = child.seen.get().lines.size();
  CHECK(vanishes(pid));
  CHECK(vanishes(grandchild));
  CHECK(child.seen.get().lines.size() == lines);
  CHECK_FALSE(child.seen.get().exit);
}

TEST_CASE("the end of the reactor leaves no process behind") {
  pid_t pid = 0;
  pid_t grandchild = 0;
  {
    process_fixture child;
    child.start_shell("trap '' TERM; sleep 1000 & echo $!; wait");
    REQUIRE(child.has_lines(1));
    pid = child.seen.get().pid;
    grandchild = std::stoi(lines_of(child)[0]);
  }
  CHECK(vanishes(pid));
  CHECK(vanishes(grandchild));
  CHECK(zombies() == 0);
  // The guard, too.
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a handler may destroy its process") {
  io::reactor reactor;
  std::shared_ptr<io::child_process> process;
  std::promise<pid_t> started;
  std::promise<void> destroyed;
  std::promise<void> assigned;
  auto ready = assigned.get_future().share();
  io::process_handlers handlers;
  handlers.on_started = [&](pid_t pid) { started.set_value(pid); };
  handlers.on_stdout_lines = [&](auto) {
    ready.wait();
    process.reset();
    destroyed.set_value();
  };
  process = io::child_process::start(reactor, {.command = "/bin/sh", .args = {"-c", "echo x; sleep 1000"}},
                                     std::move(handlers));
  assigned.set_value();
  await(destroyed);
  CHECK(vanishes(await(started)));
}

TEST_CASE("the end of stdout is reported of a process that runs on, and of no other") {
  io::reactor reactor;
  std::promise<void> closed;
  std::promise<void> ended;
  io::process_handlers mute;
  mute.on_stdout_closed = [&] { closed.set_value(); };
  io::process_handlers brief;
  bool reported = false;
  brief.on_stdout_closed = [&] { reported = true; };
  brief.on_exit = [&](io::process_exit) { ended.set_value(); };
  const auto one = io::child_process::start(
      reactor, {.command = "/bin/sh", .args = {"-c", "exec >&-; sleep 1000"}}, std::move(mute));
  const auto other =
      io::child_process::start(reactor, {.command = "/bin/sh", .args = {"-c", "exit 0"}}, std::move(brief));
  await(ended);
  await(closed);
  CHECK_FALSE(reported);
}

TEST_CASE("many processes at once all end and are all reaped") {
  io::reactor reactor;
  watched<int> ended;
  std::vector<std::shared_ptr<io::child_process>> processes;
  for (int i = 0; i < 30; ++i) {
    io::process_handlers handlers;
    handlers.on_exit = [&](io::process_exit value) { ended.change([&](int& n) { n += value.status; }); };
    processes.push_back(io::child_process::start(reactor, {.command = "/bin/sh", .args = {"-c", "exit 1"}},
                                                 std::move(handlers)));
  }
  CHECK(ended.becomes([](int n) { return n == 30; }));
  CHECK(zombies() == 0);
}

TEST_CASE("a child's environment is a short list, with what is given over it") {
  ::setenv("TROUPE_SECRET", "x", 1);
  ::setenv("TERM", "() { echo; }", 1);
  ::setenv("USER", "somebody", 1);
  auto made = io::child_environment({{"USER", "other"}, {"AWS_REGION", "r"}});
  auto value = [&](const std::string& name) {
    auto found = std::find_if(made.begin(), made.end(), [&](const auto& one) { return one.first == name; });
    return found == made.end() ? "(none)" : found->second;
  };
  CHECK(value("USER") == "other");
  CHECK(value("AWS_REGION") == "r");
  CHECK(value("PATH") == std::getenv("PATH"));
  CHECK(value("TERM") == "(none)");
  CHECK(value("TROUPE_SECRET") == "(none)");
  process_fixture child;
  child.start({.command = "/usr/bin/env", .env = {{"A", "1"}, {"B", "2"}}});
  child.exit();
  CHECK(lines_of(child) == std::vector<std::string>{"A=1", "B=2"});
}
