#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

json report(household& home) {
  return parse_json(text_of(await(home.call("stub", "report")))).value();
}

watched_process server_of(household& home) {
  return watched_process(static_cast<pid_t>(home.status("stub").pid));
}

} // namespace

TEST_CASE("a server that ignores the closing of its stdin and SIGTERM is killed in bounded time") {
  household home({stub("stubborn")});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto server = server_of(home);
  const auto begin = steady_clock::now();
  home.house().shutdown(0ms);
  CHECK(server.has_ended());
  CHECK(steady_clock::now() - begin < 15s);
}

TEST_CASE("a server that heeds the closing of its stdin is not waited for any longer") {
  household home({stub("normal")});
  REQUIRE_FALSE(home.tools("stub").empty());
  const auto server = server_of(home);
  home.house().shutdown(0ms);
  CHECK(server.has_ended());
}

TEST_CASE("what a server leaves behind in its group goes with it") {
  household home({stub("launcher")});
  REQUIRE_FALSE(home.tools("stub").empty());
  const watched_process grandchild(report(home).at("grandchild").get<pid_t>());
  REQUIRE_FALSE(grandchild.has_ended());
  SECTION("when it is stopped") {
    home.house().shutdown(0ms);
  }
  SECTION("when it dies") {
    server_of(home).kill(SIGKILL);
  }
  CHECK(grandchild.ends());
}

TEST_CASE("a server behind a launcher ends with the launcher") {
  household home({stub("wrapper")});
  REQUIRE(home.tools("stub") == std::vector<std::string>{"echo", "add", "report"});
  const auto inner = report(home).at("pid").get<pid_t>();
  REQUIRE(inner != home.status("stub").pid);
  const watched_process server(inner);
  SECTION("when it is stopped") {
    home.house().shutdown(0ms);
  }
  SECTION("when the launcher dies") {
    server_of(home).kill(SIGKILL);
    home.status_when("stub",
                     [](const auto& now) { return now.state == mcp_state::ready && now.restarts == 1; });
  }
  CHECK(server.ends());
}

TEST_CASE("a shutdown during the handshake is as bounded as any other") {
  household home({stub("deaf")});
  const auto starting = home.status_when("stub", [](const auto& now) { return now.pid != 0; });
  const watched_process server(static_cast<pid_t>(starting.pid));
  const auto begin = steady_clock::now();
  home.house().shutdown(0ms);
  CHECK(server.has_ended());
  CHECK(steady_clock::now() - begin < 15s);
}
