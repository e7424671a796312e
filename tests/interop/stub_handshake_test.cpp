#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using names = std::vector<std::string>;
using std::chrono::steady_clock;

namespace {

config::mcp_server_options started_once(config::mcp_server_options server) {
  server.restart.when = config::restart_options::policy::never;
  return server;
}

json report(household& home) {
  return parse_json(text_of(await(home.call("stub", "report")))).value();
}

bool echoes(household& home) {
  return await(home.call("stub", "echo", {{"text", "x"}})) == tool_result::text("x");
}

} // namespace

TEST_CASE("a server that behaves is told who calls, and that it may begin") {
  household home({stub("normal")});
  REQUIRE(home.tools("stub") == names{"echo", "add", "report"});
  const auto seen = report(home);
  CHECK(seen.at("initialized") == true);
  CHECK(seen.at("client").at("protocolVersion") == "2025-11-25");
  CHECK(seen.at("client").at("clientInfo").at("name") == "troupe");
  CHECK(seen.at("pid") == home.status("stub").pid);
  CHECK(home.status("stub").stray_lines == 0);
}

TEST_CASE("banners on stdout are skipped and counted") {
  household home({stub("banner")});
  REQUIRE(home.tools("stub") == names{"echo", "add"});
  // Four at the start, one before each of the two answers.
  CHECK(home.status("stub").stray_lines == 6);
  CHECK(echoes(home));
  CHECK(home.status("stub").stray_lines == 7);
}

TEST_CASE("a flood on stderr blocks nobody") {
  household home({stub("stderr-flood")});
  REQUIRE(home.tools("stub") == names{"echo", "add"});
  for (int i = 0; i < 3; ++i)
    CHECK(echoes(home));
  CHECK(home.status("stub").restarts == 0);
}

TEST_CASE("a server that never answers the handshake is given up after startup_timeout") {
  const auto* mode = GENERATE("silent", "deaf");
  INFO(mode);
  auto server = started_once(stub(mode));
  server.startup_timeout = 500ms;
  const auto begin = steady_clock::now();
  household home({server});
  const auto starting = home.status_when("stub", [](const auto& now) { return now.pid != 0; });
  CHECK(starting.state == mcp_state::starting);
  const watched_process process(static_cast<pid_t>(starting.pid));

  CHECK(home.tools("stub").empty());
  CHECK(steady_clock::now() - begin >= 500ms);
  CHECK(steady_clock::now() - begin < 20s);
  const auto status = home.status("stub");
  CHECK(status.state == mcp_state::failed);
  CHECK_THAT(status.last_error, Catch::Contains("no answer to the handshake within 500ms"));
  CHECK(process.has_ended());
  CHECK(await(home.chat("hello"))->result == "I am here.");
}

TEST_CASE("a server that ends at once is tried again, and its last words are kept") {
  auto server = stub("exit-early");
  server.restart.max_restarts = 2;
  household home({server});
  CHECK(home.tools("stub").empty());
  const auto status =
      home.status_when("stub", [](const auto& now) { return now.state == mcp_state::failed; });
  CHECK(status.restarts == 2);
  CHECK_THAT(status.last_error,
             Catch::Contains("status 3") && Catch::Contains("fatal: no region is configured"));
  CHECK(status.pid == 0);
  CHECK(status.breaker.state == breaker_state::open);
  CHECK(status.breaker.failures == 3);
  CHECK(status.retry_in > 50s);
  const auto refused = await(home.call("stub", "add"));
  CHECK(refused.is_error);
  CHECK_THAT(text_of(refused), Catch::Contains("is not running (failed)") && Catch::Contains("no region") &&
                                   Catch::Contains("has failed 3 times in a row") &&
                                   Catch::Contains("next try in"));
}

TEST_CASE("a server that fails twice and then starts is ready") {
  temporary_folder folder;
  household home({stub("flaky", {folder / "starts", "2"})});
  const auto status = home.status_when("stub", [](const auto& now) { return now.state == mcp_state::ready; });
  CHECK(status.restarts == 2);
  CHECK_THAT(status.last_error, Catch::Contains("status 4") && Catch::Contains("not yet"));
  CHECK(echoes(home));
}

TEST_CASE("an agent waits for a server that starts slowly") {
  household home({stub("slow-start", {"0.5"})});
  CHECK(await(home.chat("add"))->result == "It is 42.");
}

TEST_CASE("a server that refuses the handshake says why") {
  household home({started_once(stub("error-init"))});
  CHECK(home.tools("stub").empty());
  const auto status = home.status("stub");
  CHECK(status.state == mcp_state::failed);
  CHECK_THAT(status.last_error, Catch::Contains("no licence found"));
}

TEST_CASE("an old version of the protocol is spoken, one that never was is not") {
  household old({stub("old-version")});
  REQUIRE(old.tools("stub") == names{"echo", "add"});
  CHECK(old.status("stub").protocol_version == "2024-11-05");
  CHECK(echoes(old));

  household unknown({started_once(stub("unknown-version"))});
  CHECK(unknown.tools("stub").empty());
  CHECK(unknown.status("stub").state == mcp_state::failed);
  CHECK_THAT(unknown.status("stub").last_error, Catch::Contains("1999-12-31"));
}

TEST_CASE("all pages of a tool list are followed, but not for ever") {
  household pages({stub("pages")});
  CHECK(pages.tools("stub") == names{"echo", "add", "report"});

  household loop({started_once(stub("cursor-loop"))});
  CHECK(loop.tools("stub").empty());
  CHECK(loop.status("stub").state == mcp_state::failed);
  CHECK_THAT(loop.status("stub").last_error, Catch::Contains("cursor"));
}

TEST_CASE("a tool list that changed is fetched again") {
  household home({stub("list-changed")});
  REQUIRE(home.tools("stub") == names{"echo", "add", "grow"});
  CHECK(text_of(await(home.call("stub", "grow"))) == "grown");
  home.status_when("stub", [](const auto& now) {
    return now.tools == names{"echo", "add", "grow", "added"};
  });
  CHECK(home.tools("stub") == names{"echo", "add", "grow", "added"});
  CHECK(text_of(await(home.call("stub", "added"))) == "added later");
}

TEST_CASE("a server that cannot start leaves the others and the agents working") {
  config::mcp_server_options missing;
  missing.name = "missing";
  missing.command = "no-such-command-of-troupe";
  household home({missing, stub("normal")});
  CHECK(home.tools("missing").empty());
  const auto status = home.status("missing");
  CHECK(status.state == mcp_state::failed);
  CHECK(status.pid == 0);
  CHECK_THAT(status.last_error, Catch::Contains("no-such-command-of-troupe"));

  CHECK(home.tools("stub") == names{"echo", "add", "report"});
  CHECK(await(home.chat("add"))->result == "It is 42.");
  const auto refused = await(home.call("missing", "echo"));
  CHECK(refused.is_error);
  CHECK_THAT(text_of(refused), Catch::Contains("'missing' is not running"));
}
