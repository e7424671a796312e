#include "tests/actors/io/process_fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

#include <sys/resource.h>

using namespace troupe;
using namespace troupe::test;

namespace {

/// What a child with these limits writes.
std::vector<std::string> told(const std::string& script, io::spawn_limits limits) {
  process_fixture child;
  child.start_shell(script, {.limits = limits});
  child.exit();
  return child.seen.get().lines;
}

io::process_exit ended(const std::string& script, io::spawn_limits limits) {
  process_fixture child;
  child.start_shell(script, {.limits = limits});
  return child.exit();
}

/// The soft and the hard bound of each limit.
constexpr auto ask_limits =
    "ulimit -S -d; ulimit -H -d; ulimit -S -t; ulimit -H -t; ulimit -S -n; ulimit -H -n; "
    "sed -n 's/^NoNewPrivs:.//p' /proc/self/status";

std::string own(__rlimit_resource what, bool hard) {
  rlimit now{};
  ::getrlimit(what, &now);
  const auto value = hard ? now.rlim_max : now.rlim_cur;
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(what == RLIMIT_DATA ? value / 1024 : value);
}

} // namespace

TEST_CASE("a child has the limits that it is given, and those that it starts have them too") {
  const auto lines =
      told(ask_limits, {.memory = 64u << 20, .cpu_seconds = 7, .open_files = 33, .no_new_privileges = true});
  CHECK(lines == std::vector<std::string>{"65536", "65536", "7", "8", "33", "33", "1"});
}

TEST_CASE("without limits a child has this process's") {
  CHECK(told(ask_limits, {}) == std::vector<std::string>{own(RLIMIT_DATA, false), own(RLIMIT_DATA, true),
                                                         own(RLIMIT_CPU, false), own(RLIMIT_CPU, true),
                                                         own(RLIMIT_NOFILE, false), own(RLIMIT_NOFILE, true),
                                                         "0"});
}

TEST_CASE("a limit above what this process may is what it may") {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const auto lines = told("ulimit -H -n", {.open_files = before.rlim_max + 1});
  CHECK(lines == std::vector<std::string>{std::to_string(before.rlim_max)});
}

TEST_CASE("the limits of children are not this process's") {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  told("true", {.open_files = 33});
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  CHECK(after.rlim_cur == before.rlim_cur);
}

TEST_CASE("a child that computes for too long is ended") {
  CHECK(io::to_string(ended("while :; do :; done", {.cpu_seconds = 1})) == "killed by SIGXCPU");
}

TEST_CASE("a child gets no more memory than it is given") {
  const auto script = "dd if=/dev/zero of=/dev/null bs=100M count=1 2>/dev/null";
  CHECK(ended(script, {.memory = 50u << 20}).status != 0);
  CHECK(ended(script, {.memory = 200u << 20}).status == 0);
}

TEST_CASE("a child opens no more files than it is given") {
  const auto script = "exec 3</dev/null 4</dev/null 5</dev/null";
  CHECK(ended(script, {.open_files = 5}).status != 0);
  CHECK(ended(script, {.open_files = 6}).status == 0);
}
