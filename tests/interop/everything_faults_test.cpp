#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto long_call = "trigger-long-running-operation";

/// Ten minutes without a sign of life.
const json for_ever = {{"duration", 600}, {"steps", 1}};

config::mcp_server_options everything() {
  return reference_server("everything", {"stdio"});
}

/// Messages are read in order: once a later call is answered, the server has all that were sent before.
void let_it_read(household& home) {
  REQUIRE(text_of(await(home.call("everything", "echo", {{"message", "x"}}))) == "Echo: x");
}

} // namespace

TEST_CASE("a long call times out while another on the same server goes on") {
  auto server = everything();
  server.call_timeout = 2s;
  household home({server});
  REQUIRE_FALSE(home.tools("everything").empty());

  const auto begin = steady_clock::now();
  auto silent = home.call("everything", long_call, for_ever);
  // Its steps are signs of life: it may take longer than the timeout in all.
  auto lively = home.call("everything", long_call, {{"duration", 3}, {"steps", 15}});
  const auto timed_out = await(std::move(silent));
  CHECK(timed_out.is_error);
  CHECK_THAT(text_of(timed_out), Catch::Contains("'everything' did not answer within"));
  CHECK(steady_clock::now() - begin >= 2s);
  CHECK(steady_clock::now() - begin < 20s);
  const auto done = await(std::move(lively));
  CHECK(text_of(done) == "Long running operation completed. Duration: 3 seconds, Steps: 15.");
  CHECK(steady_clock::now() - begin >= 3s);
  let_it_read(home);
  CHECK(home.status("everything").restarts == 0);
}

TEST_CASE("a call that is given up is answered at once, and its neighbours go on") {
  household home({everything()});
  REQUIRE_FALSE(home.tools("everything").empty());
  auto given_up = home.call("everything", long_call, for_ever, 7);
  let_it_read(home);
  home.cancel("everything", 7);
  const auto result = await(std::move(given_up));
  CHECK(result.is_error);
  CHECK_THAT(text_of(result), Catch::Contains("cancelled"));
  let_it_read(home);
}

TEST_CASE("a server that is killed in a call fails the call at once and comes back") {
  auto server = everything();
  server.call_timeout = 10min;
  server.restart.initial_backoff = 1s;
  household home({server});
  REQUIRE_FALSE(home.tools("everything").empty());
  const auto before = home.status("everything");

  for (std::uint64_t round = 1; round <= 2; ++round) {
    auto first = home.call("everything", long_call, for_ever);
    auto second = home.call("everything", long_call, for_ever);
    let_it_read(home);
    watched_process(static_cast<pid_t>(home.status("everything").pid)).kill(SIGKILL);
    for (auto* call : {&first, &second}) {
      const auto failed = await(std::move(*call));
      CHECK(failed.is_error);
      CHECK_THAT(text_of(failed), Catch::Contains("went away") && Catch::Contains("SIGKILL"));
    }
    const auto down = home.status("everything");
    CHECK(down.state == mcp_state::restarting);
    CHECK(down.pid == 0);
    CHECK(down.tools.empty());
    CHECK_THAT(down.last_error, Catch::Contains("SIGKILL"));
    CHECK(await(home.call("everything", "echo", {{"message", "too early"}})).is_error);

    const auto up =
        home.status_when("everything", [](const auto& now) { return now.state == mcp_state::ready; });
    CHECK(up.restarts == round);
    CHECK(up.pid != before.pid);
    CHECK(up.tools == before.tools);
    let_it_read(home);
  }
}

TEST_CASE("a server that ignores the closing of its stdin is ended all the same") {
  household home({everything()});
  REQUIRE_FALSE(home.tools("everything").empty());
  CHECK_FALSE(await(home.call("everything", "toggle-simulated-logging")).is_error);
  auto open_call = home.call("everything", long_call, for_ever);
  let_it_read(home);
  const watched_process server(static_cast<pid_t>(home.status("everything").pid));

  const auto begin = steady_clock::now();
  home.house().shutdown(0ms);
  CHECK(server.has_ended());
  CHECK(steady_clock::now() - begin < 15s);
  CHECK(await(std::move(open_call)).is_error);
}
