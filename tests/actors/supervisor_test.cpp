#include "actors/defaults.hpp"
#include "actors/hook_client.hpp"
#include "tests/actors/support/stage.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <cstddef>
#include <map>
#include <string>

using namespace troupe;
using troupe::test::fake_tool;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

chat_request prompt(std::string text, std::string session, std::string agent = {}) {
  chat_request request;
  request.prompt = std::move(text);
  request.session_id = std::move(session);
  request.agent = std::move(agent);
  return request;
}

/// A scripted model that takes a second for each answer, and calls the tool "t" where there is one.
config::model_options slow_model(bool calls_tool = false) {
  scripted::script script;
  script.delay = 1s;
  if (calls_tool) {
    scripted::rule call;
    call.when.user = *scripted::compile_pattern("tool");
    call.calls = {{"t", json::object()}};
    script.rules.push_back(std::move(call));
    scripted::rule after;
    after.when.tool = "*";
    after.say = "used it";
    script.rules.push_back(std::move(after));
  }
  scripted::rule always;
  always.say = "slowly";
  script.rules.push_back(std::move(always));
  return {"slow", std::move(script)};
}

/// "ops" is on the slow model.
runtime_options with_slow_model(bool calls_tool = false) {
  auto options = stage::two_agents();
  options.config.models = {slow_model(calls_tool)};
  options.config.agents[1].model = "slow";
  return options;
}

template <class Handle>
void kill(stage& s, const Handle& victim) {
  caf::anon_send_exit(victim, caf::exit_reason::kill);
  s.run();
}

/// A model's own actor, as it is now.
model_actor plain_model(const stage& s, const std::string& name) {
  return s.where->current()->plain_models.at(name);
}

system_node find(const system_status_ptr& status, const std::string& kind, const std::string& name) {
  for (const auto& group : status->root.children)
    for (const auto& node : group.children)
      if (node.kind == kind && node.name == name)
        return node;
  FAIL("there is no " << kind << " " << name);
  return {};
}

system_node find(stage& s, const std::string& kind, const std::string& name) {
  const auto status = s.ask<system_status_ptr>(s.actors.supervisor, status_atom::value);
  s.run();
  REQUIRE(status->value);
  return find(*status->value, kind, name);
}

using fake_front_actor =
    http_front_actor::extend<caf::reacts_to<wire_atom, http_backend_ptr>>::extend_with<observed_actor>;

/// Front ends that only know their port.
struct fake_fronts {
  /// That they were to listen on, in order.
  std::vector<std::uint16_t> ports;
  bool can_listen = true;
  /// The last that was made, and whom it serves.
  http_front_actor last;
  http_backend_ptr served;

  http_front_actor make(stage& s, std::uint16_t port) {
    ports.push_back(port);
    last = s.system().spawn([this, port](fake_front_actor::pointer self) -> fake_front_actor::behavior_type {
      return {
          [this, port](port_atom) -> caf::result<std::uint16_t> {
            if (can_listen)
              return port;
            return to_caf(fail(errc::io_failed, "taken"));
          },
          [](stop_atom, caf::timespan) { return acknowledgement{}; },
          [this](wire_atom, const http_backend_ptr& backend) { served = backend; },
          [self](status_atom) { return status_of(self); },
      };
    });
    return last;
  }

  void adopt(stage& s, std::uint16_t port) {
    const auto maker = std::make_shared<const front_maker>(
        front_maker{[&](const http_backend&, std::uint16_t again) { return make(s, again); }});
    caf::anon_send(s.actors.supervisor, adopt_atom::value, make(s, port), maker);
    s.run();
  }
};

} // namespace

TEST_CASE("a model's actor that dies is made again, and only the run that was asking it fails") {
  stage s;
  s.begin(with_slow_model());
  const auto asking = s.chat(prompt("q", "a", "ops"));
  const auto other = s.chat(prompt("q", "b", "triage"));
  kill(s, plain_model(s, "slow"));
  CHECK(asking->code() == errc::model_unavailable);
  CHECK_FALSE(other->came());
  s.model->says("fine");
  s.run();
  CHECK(other->value);

  const auto next = s.chat(prompt("again", "a", "ops"));
  s.advance(1s);
  REQUIRE(next->value);
  CHECK(next->value->result == "slowly");
  const auto node = find(s, "model", "slow");
  CHECK(node.state == "running");
  CHECK(node.restarts == 1);
  CHECK_FALSE(node.last_error.empty());
}

TEST_CASE("a run that is at a tool while its model's actor dies goes on with the new one") {
  stage s;
  auto options = with_slow_model(true);
  const auto tool = std::make_shared<fake_tool>();
  options.tools = {{"ops", s.fake("t", tool)}};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("use the tool", "a", "ops"));
  s.advance(1s);
  REQUIRE(tool->open.size() == 1);
  kill(s, plain_model(s, "slow"));
  tool->answer(0, tool_result::text("done"));
  s.run();
  s.advance(1s);
  REQUIRE(reply->value);
  CHECK(reply->value->result == "used it");
}

TEST_CASE("a run whose model's actor dies goes on at the fallback") {
  stage s;
  auto options = with_slow_model();
  options.config.models[0].fallbacks = {"default"};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("q", "a", "ops"));
  CHECK(s.model->calls.empty());
  kill(s, plain_model(s, "slow"));
  REQUIRE(s.model->calls.size() == 1);
  s.model->says("instead");
  s.run();
  CHECK(reply->value->result == "instead");
}

TEST_CASE("the actor of a chain of fallbacks that dies is made again, with whom to ask") {
  stage s;
  auto options = with_slow_model();
  options.config.models[0].fallbacks = {"default"};
  s.begin(std::move(options));
  kill(s, s.where->current()->chains.at("slow"));
  const auto reply = s.chat(prompt("q", "a", "ops"));
  s.advance(1s);
  REQUIRE(reply->value);
  CHECK(reply->value->result == "slowly");
}

TEST_CASE("a run hands off to an agent whose actor died meanwhile, and was made again") {
  stage s;
  s.begin(stage::two_agents());
  const auto reply = s.chat(prompt("q", "a"));
  kill(s, s.where->current()->agents->at("ops"));
  CHECK(find(s, "agent", "ops").restarts == 1);
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  CHECK(s.model->calls.front().request->agent == "ops");
  s.model->says("here");
  s.run();
  REQUIRE(reply->value);
  CHECK(reply->value->agent == "ops");
}

TEST_CASE("a run outlives the actor of its agent; who asked that actor itself is told") {
  stage s;
  s.begin(stage::two_agents());
  const auto reply = s.chat(prompt("q", "a"));
  run_request alone;
  alone.prompt = "q";
  const auto asked = s.ask<run_reply>(s.where->current()->agents->at("triage"), alone);
  s.run();
  kill(s, s.where->current()->agents->at("triage"));
  CHECK(asked->code() == errc::unavailable);
  s.model->says("still here");
  s.run();
  REQUIRE(reply->value);
  CHECK(reply->value->result == "still here");
}

TEST_CASE("a store's actor that dies is made again with what it had, and sessions use the new one") {
  stage s;
  s.begin(stage::two_agents());
  const auto reply = s.chat(prompt("one", "a"));
  s.model->says("1");
  s.run();
  REQUIRE(reply->value);
  kill(s, s.where->current()->store);
  const auto next = s.chat(prompt("two", "a"));
  s.model->says("2");
  s.run();
  CHECK(next->value);
  CHECK((*s.load("a")->value)->items.size() == 4);
}

TEST_CASE("the sessions' actor that dies takes its runs along, each with a typed error, and no more") {
  stage s;
  s.begin(stage::two_agents());
  const auto before = s.chat(prompt("one", "a"));
  s.model->says("1");
  s.run();
  REQUIRE(before->value);
  const auto lost = s.chat(prompt("two", "a"));
  const auto dead = s.where->current()->sessions;
  kill(s, dead);
  CHECK(lost->code() == errc::shutting_down);
  const auto now = s.where->current()->sessions;
  REQUIRE(now != dead);
  // What the user said was stored when the run began.
  const auto loaded = s.ask<session_record_ptr>(now, info_atom::value, std::string("a"));
  s.run();
  REQUIRE(loaded->value);
  CHECK((*loaded->value)->items.size() == 3);
  s.model->calls.clear();
  const auto next = s.ask<chat_reply>(now, prompt("three", "a"));
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  s.model->says("3");
  s.run();
  CHECK(next->value);
}

TEST_CASE(
    "past the intensity an actor's calls are refused at once, and after the cooldown it is tried again") {
  stage s;
  s.begin(with_slow_model());
  for (unsigned i = 0; i <= defaults::actor_max_restarts; ++i) {
    kill(s, plain_model(s, "slow"));
    if (i < defaults::actor_max_restarts)
      s.advance(defaults::actor_backoff * 4);
  }
  const auto refused = s.chat(prompt("q", "a", "ops"));
  REQUIRE(refused->code() == errc::model_unavailable);
  CHECK(refused->failure->facts->at("retry_after_ms") == 10'000);
  auto node = find(s, "model", "slow");
  CHECK(node.state == "failed");
  CHECK(node.breaker->state == breaker_state::open);
  CHECK(node.retry_in == 10s);
  const auto other = s.chat(prompt("q", "b", "triage"));
  s.model->says("fine");
  s.run();
  CHECK(other->value);

  s.advance(defaults::actor_cooldown);
  node = find(s, "model", "slow");
  CHECK(node.state == "running");
  const auto served = s.chat(prompt("q", "c", "ops"));
  s.advance(1s);
  CHECK(served->value);

  SECTION("half-open, one more failure is enough") {
    kill(s, plain_model(s, "slow"));
    CHECK(find(s, "model", "slow").state == "failed");
  }
  SECTION("after a stable minute the count begins anew") {
    s.advance(defaults::actor_stable_after);
    kill(s, plain_model(s, "slow"));
    CHECK(find(s, "model", "slow").state == "running");
  }
}

TEST_CASE("an MCP server's actor and a hook's that die are made again, and agents have the new ones") {
  stage s;
  auto options = stage::two_agents();
  config::mcp_server_options server;
  server.name = "files";
  server.command = "/nonexistent";
  options.config.mcp_servers = {server};
  options.config.agents[0].mcp_servers = {"files"};
  config::hook_options hook;
  hook.name = "watch";
  hook.url = "http://127.0.0.1:1/";
  hook.points = {"after_tool"};
  options.config.hooks = {hook};
  s.begin(std::move(options));
  const auto before = s.where->current();
  kill(s, before->mcp_servers[0].second);
  kill(s, before->hooks[0]);
  const auto now = s.where->current();
  CHECK(now->mcp_servers[0].second != before->mcp_servers[0].second);
  CHECK(now->hooks[0] != before->hooks[0]);
  const auto& wiring = *now->wirings.at("triage");
  CHECK(wiring.mcp_servers[0].handle == now->mcp_servers[0].second);
  CHECK(std::get<hook_actor>(wiring.hooks[0].handler) == now->hooks[0]);
  CHECK(find(s, "mcp_server", "files").restarts == 1);
  CHECK(find(s, "hook", "watch").restarts == 1);
}

TEST_CASE("an embedder's model that ends stays down, and its calls are refused") {
  stage s;
  s.begin(with_slow_model());
  kill(s, s.actors.plain_models.at("default"));
  CHECK(find(s, "model", "default").state == "down");
  const auto refused = s.chat(prompt("q", "a", "triage"));
  CHECK(refused->code() == errc::model_unavailable);
  const auto other = s.chat(prompt("q", "b", "ops"));
  s.advance(1s);
  CHECK(other->value);
}

TEST_CASE("what ends in order, or after a stop, is not made again") {
  stage s;
  s.begin(with_slow_model());
  SECTION("in order") {
    const auto agent = s.where->current()->agents->at("ops");
    caf::anon_send_exit(agent, caf::exit_reason::user_shutdown);
    s.run();
    CHECK(s.where->current()->agents->at("ops") == agent);
  }
  SECTION("after a stop") {
    s.ask<acknowledgement>(s.actors.supervisor, stop_atom::value);
    const auto model = plain_model(s, "slow");
    kill(s, model);
    CHECK(plain_model(s, "slow") == model);
  }
}

TEST_CASE("a front end that fails is made again at its port, and told whom it serves") {
  stage s;
  s.begin(with_slow_model());
  fake_fronts fronts;
  fronts.adopt(s, 8001);
  CHECK(fronts.served->sessions == s.where->current()->sessions);
  fronts.served = nullptr;
  kill(s, fronts.last);
  CHECK(fronts.ports == std::vector<std::uint16_t>{8001, 8001});
  REQUIRE(fronts.served);
  CHECK(fronts.served->sessions == s.where->current()->sessions);
  CHECK(s.where->current()->fronts.at("1") == fronts.last);
  const auto node = find(s, "http_front", "1");
  CHECK(node.state == "running");
  CHECK(node.restarts == 1);
}

TEST_CASE("a front end that finds its port taken tries again") {
  stage s;
  s.begin(with_slow_model());
  fake_fronts fronts;
  fronts.adopt(s, 8001);
  fronts.can_listen = false;
  kill(s, fronts.last);
  CHECK(fronts.ports.size() == 2);
  CHECK(find(s, "http_front", "1").state != "running");
  fronts.can_listen = true;
  s.advance(defaults::actor_max_backoff);
  CHECK(fronts.ports.size() == 3);
  CHECK(find(s, "http_front", "1").state == "running");
}

TEST_CASE("a front end that could not listen, or was stopped, is not made again") {
  stage s;
  s.begin(with_slow_model());
  fake_fronts fronts;
  SECTION("it could not listen") {
    fronts.can_listen = false;
    fronts.adopt(s, 8001);
    kill(s, fronts.last);
  }
  SECTION("it was stopped") {
    fronts.adopt(s, 8001);
    caf::anon_send_exit(fronts.last, caf::exit_reason::user_shutdown);
    s.run();
  }
  s.advance(defaults::actor_max_backoff);
  CHECK(fronts.ports.size() == 1);
  // Another takes its place.
  fronts.can_listen = true;
  fronts.adopt(s, 8002);
  CHECK(find(s, "http_front", "1").state == "running");
}

TEST_CASE("the tree tells what each part has under way, and which does not answer") {
  stage s;
  auto options = with_slow_model();
  constexpr auto stuck_for = std::chrono::minutes(10);
  // One that looks at nothing else until its own question is answered.
  const auto stuck = s.system().spawn([stuck_for](caf::event_based_actor* self) -> caf::behavior {
    const auto silent = self->spawn([](caf::event_based_actor* never) -> caf::behavior {
      return {[never](int) { return never->make_response_promise(); }};
    });
    self->request(silent, stuck_for, 1).await([](int) {}, [](const caf::error&) {});
    return {[](int) {}};
  });
  options.models["stuck"] = caf::actor_cast<model_actor>(stuck);
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("q", "a", "ops"));
  const auto asked = s.ask<system_status_ptr>(s.actors.supervisor, status_atom::value);
  s.run();
  CHECK_FALSE(asked->came());
  s.advance(defaults::part_status);
  REQUIRE(asked->value);
  const auto& tree = *asked->value;
  std::map<std::string, std::size_t> sizes;
  for (const auto& group : tree->root.children)
    sizes[group.name] = group.children.size();
  CHECK(sizes == std::map<std::string, std::size_t>{{"models", 3},
                                                    {"mcp_servers", 0},
                                                    {"store", 1},
                                                    {"hooks", 0},
                                                    {"agents", 2},
                                                    {"sessions", 1},
                                                    {"fronts", 0}});
  CHECK(find(tree, "model", "slow").in_flight == 1u);
  CHECK(find(tree, "agent", "ops").in_flight == 1u);
  CHECK(find(tree, "agent", "triage").in_flight == 0u);
  CHECK(find(tree, "sessions", "sessions").in_flight == 1u);
  CHECK(find(tree, "store", "store").mailbox == 0u);
  CHECK(find(tree, "model", "default").state == "running");
  CHECK(find(tree, "model", "stuck").state == "not_answering");
  CHECK(reply->value);
  s.advance(stuck_for);
}
