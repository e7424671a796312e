#include "tests/actors/io/process_fixture.hpp"

#include <catch2/catch.hpp>

#include <sstream>

#include <csignal>
#include <unistd.h>

using namespace troupe;
using namespace troupe::test;

TEST_CASE("when this program is killed with SIGKILL, its children and theirs vanish") {
  const bool embedded = GENERATE(false, true);
  process_fixture victim;
  // A killed group would take the guard's work away, so only the program itself is killed.
  victim.start({.command = TROUPE_ORPHAN_MAKER,
                .args = embedded ? std::vector<std::string>{"embedded"} : std::vector<std::string>{}});
  REQUIRE(victim.has_lines(1));
  std::istringstream numbers(victim.seen.get().lines[0]);
  pid_t child = 0;
  pid_t grandchild = 0;
  REQUIRE(numbers >> child >> grandchild);
  REQUIRE(::kill(child, 0) == 0);
  REQUIRE(::kill(grandchild, 0) == 0);
  ::kill(victim.seen.get().pid, SIGKILL);
  CHECK(victim.exit().signal == SIGKILL);
  CHECK(vanishes(child));
  CHECK(vanishes(grandchild));
}

TEST_CASE("signals to the group of a program do not take its guard away") {
  process_fixture victim;
  victim.start({.command = TROUPE_ORPHAN_MAKER});
  REQUIRE(victim.has_lines(1));
  std::istringstream numbers(victim.seen.get().lines[0]);
  pid_t child = 0;
  pid_t grandchild = 0;
  REQUIRE(numbers >> child >> grandchild);
  ::kill(-victim.seen.get().pid, GENERATE(SIGINT, SIGTERM, SIGHUP));
  victim.exit();
  CHECK(vanishes(child));
  CHECK(vanishes(grandchild));
}
