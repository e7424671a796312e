#include "actors/defaults.hpp"
#include "actors/io/reactor.hpp"
#include "actors/mcp_server.hpp"
#include "tests/interop/support/household.hpp"
#include "tests/interop/support/peers.hpp"

#include <boost/asio/io_context.hpp>
#include <caf/scheduler/test_coordinator.hpp>
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

struct virtual_config : system_config {
  virtual_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// The actor of an MCP server on CAF's scheduler of virtual time, all on the test's thread. The process is a
/// real one.
class timeless_server {
public:
  explicit timeless_server(config::mcp_server_options options)
      : server_(system_.spawn(mcp_server, std::move(options), nothing_to_hide(), reactor_reference{&io_})),
        asker_(system_.spawn([](caf::event_based_actor* self) -> caf::behavior {
          return {[self](const question& what) { what.run(self); }};
        })) {
    until([](const mcp_status& now) { return now.state == mcp_state::ready; });
  }
  ~timeless_server() {
    bool stopped = false;
    ask<acknowledgement>([&](const acknowledgement&) { stopped = true; }, stop_atom::value);
    wait_for([&] { return stopped; });
    caf::anon_send_exit(asker_, caf::exit_reason::user_shutdown);
    run();
  }

  mcp_status status() {
    mcp_status found;
    ask<mcp_status>([&](const mcp_status& now) { found = now; }, status_atom::value);
    run();
    return found;
  }
  /// The first status for which that holds, without time passing.
  mcp_status until(const std::function<bool(const mcp_status&)>& holds) {
    mcp_status found;
    wait_for([&] { return holds(found = status()); });
    return found;
  }
  tool_result call(const std::string& tool) {
    std::optional<tool_result> outcome;
    ask<tool_result>([&](const tool_result& came) { outcome = came; }, tool_invocation{1, tool, {}, {}, {}});
    wait_for([&] { return outcome.has_value(); });
    return *outcome;
  }
  void pass(std::chrono::milliseconds time) {
    scheduler().advance_time(time);
    run();
  }

private:
  template <class T, class... What>
  void ask(std::function<void(const T&)> then, What... what) {
    caf::anon_send(
        asker_, question{[server = server_, then, what...](caf::event_based_actor* self) {
          self->request(server, std::chrono::minutes(24 * 60), what...).then(then, [](const caf::error&) {});
        }});
  }
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  void run() {
    while (scheduler().has_job())
      scheduler().run_once();
  }
  void wait_for(const std::function<bool()>& holds) {
    const auto end = steady_clock::now() + patience;
    while (run(), !holds()) {
      if (steady_clock::now() > end)
        throw std::runtime_error("it does not come to that");
      context_.restart();
      context_.run_one_for(50ms);
    }
  }

  virtual_config config_;
  caf::actor_system system_{config_};
  boost::asio::io_context context_;
  io::reactor io_{context_};
  mcp_server_actor server_;
  caf::actor asker_;
};

/// Never answers the second time that it is asked for its tools, and tells of a change once that is given up.
constexpr auto slow_lister = R"(
import json, sys
def send(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
def tools(name):
    return {"tools": [{"name": name, "inputSchema": {"type": "object"}}]}
changed = "notifications/tools/list_changed"
listings = 0
for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "initialize":
        send(id=asked["id"], result={"protocolVersion": "2025-11-25", "serverInfo": {"name": "s", "version": "1"},
                                     "capabilities": {"tools": {"listChanged": True}}})
    elif asked["method"] == "tools/list":
        listings += 1
        if listings == 1:
            send(id=asked["id"], result=tools("old"))
            send(method=changed)
        elif listings == 3:
            send(id=asked["id"], result=tools("new"))
    elif asked["method"] == "notifications/cancelled":
        send(method=changed)
    elif "id" in asked:
        send(id=asked["id"], result={})
)";

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

TEST_CASE("a server that answers no ping is killed and started again") {
  timeless_server stub_server(stub("normal"));
  const watched_process process(static_cast<pid_t>(stub_server.status().pid));
  stub_server.pass(defaults::mcp_ping_interval);
  CHECK(parse_json(text_of(stub_server.call("report")))->at("pings") == 1);
  process.kill(SIGSTOP);
  stub_server.pass(defaults::mcp_ping_interval);
  stub_server.pass(defaults::mcp_ping_timeout);
  const auto down = stub_server.until([](const auto& now) { return now.state == mcp_state::restarting; });
  CHECK(process.has_ended());
  CHECK_THAT(down.last_error, Catch::Contains("did not answer a ping within 30000ms"));
  stub_server.pass(1s);
  const auto again = stub_server.until([](const auto& now) { return now.state == mcp_state::ready; });
  CHECK(again.restarts == 1);
}

TEST_CASE("what a server says without line feeds is bounded, and ends at carriage returns") {
  const bool has_returns = GENERATE(false, true);
  household home({has_returns ? stub("mumbling", {"\r"}) : stub("mumbling")});
  REQUIRE_FALSE(home.tools("stub").empty());
  // 30,000 bytes each.
  for (int i = 0; i < 10; ++i)
    CHECK(text_of(await(home.call("stub", "echo", {{"text", "x"}}))) == "x");
  home.call("stub", "die");
  const auto down = home.status_when("stub", [](const mcp_status& now) { return !now.last_error.empty(); });
  CHECK(down.last_error.size() < 70'000);
  CHECK((down.last_error.find("mumble") != std::string::npos) == has_returns);
}

TEST_CASE("a tool list that a server is asked for again and does not send is given up") {
  auto options = stub("normal");
  options.args = {"-c", slow_lister};
  timeless_server lister(options);
  CHECK(lister.status().tools == std::vector<std::string>{"old"});
  // Its answer comes after the change that it tells of.
  lister.call("any");
  lister.pass(options.startup_timeout);
  lister.until([](const auto& now) { return now.tools == std::vector<std::string>{"new"}; });
  CHECK(lister.status().restarts == 0);
}
