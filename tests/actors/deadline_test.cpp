#include "tests/actors/support/stage.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::fake_tool;
using troupe::test::stage;
using namespace std::chrono_literals;

/// One deadline holds for a run and all that it starts, whatever it waits for when the time is over.
namespace {

chat_request prompt(std::chrono::milliseconds within) {
  chat_request request;
  request.prompt = "help";
  request.session_id = "s";
  request.within = within;
  return request;
}

agent_definition agent(std::string name) {
  agent_definition made;
  made.name = std::move(name);
  return made;
}

runtime_options house(std::vector<agent_definition> agents) {
  runtime_options options;
  options.config.agents = std::move(agents);
  return options;
}

/// "boss" may ask "middle", which may ask "worker".
runtime_options nested_house() {
  auto boss = agent("boss");
  boss.agent_tools = {{"middle", "ask_middle", "Asks"}};
  auto middle = agent("middle");
  middle.agent_tools = {{"worker", "ask_worker", "Asks"}};
  return house({boss, middle, agent("worker")});
}

guardrail_actor::behavior_type silent_guardrail(guardrail_actor::pointer self) {
  return {[self](const guardrail_question&) { return self->make_response_promise<guardrail::verdict>(); }};
}

hook_actor::behavior_type silent_hook(hook_actor::pointer self) {
  return {[self](const hook_call&) { return self->make_response_promise<acknowledgement>(); }};
}

} // namespace

TEST_CASE("a request's deadline is bounded by the configuration's") {
  stage s;
  auto options = stage::two_agents();
  options.config.limits.run_timeout = 3s;
  s.begin(std::move(options));
  const auto reply = s.chat(prompt(1h));
  s.advance(2999ms);
  CHECK_FALSE(reply->came());
  s.advance(2ms);
  CHECK(reply->code() == errc::deadline_exceeded);
}

TEST_CASE("the deadline ends runs inside runs, and the innermost's model call is cancelled") {
  stage s;
  s.begin(nested_house());
  const auto reply = s.chat(prompt(5s));
  s.advance(2s);
  s.model->calls_tools({{"ask_middle", R"({"input":"x"})"}});
  s.run();
  s.advance(2s);
  s.model->calls_tools({{"ask_worker", R"({"input":"y"})"}});
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  CHECK(s.model->calls.front().request->agent == "worker");
  const auto key = s.model->calls.front().key;
  s.advance(999ms);
  CHECK_FALSE(reply->came());
  s.advance(2ms);
  CHECK(reply->code() == errc::deadline_exceeded);
  CHECK(s.model->cancelled == std::vector<call_key>{key});
}

TEST_CASE("the deadline holds for what is handed off inside a run inside a run") {
  stage s;
  auto options = nested_house();
  options.config.agents[1].agent_tools.clear();
  options.config.agents[1].handoffs = {"worker"};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt(5s));
  s.model->calls_tools({{"ask_middle", R"({"input":"x"})"}});
  s.run();
  s.advance(4s);
  s.model->calls_tools({{"transfer_to_worker", "{}"}});
  s.run();
  const auto key = s.model->calls.front().key;
  s.advance(1001ms);
  CHECK(reply->code() == errc::deadline_exceeded);
  CHECK(s.model->cancelled == std::vector<call_key>{key});
}

TEST_CASE("the deadline ends all members of a team at once") {
  stage s;
  auto both = agent("both");
  both.kind = agent_kind::parallel;
  both.members.members = {"a", "b"};
  s.begin(house({both, agent("a"), agent("b")}));
  const auto reply = s.chat(prompt(2s));
  REQUIRE(s.model->calls.size() == 2);
  s.advance(2001ms);
  CHECK(reply->code() == errc::deadline_exceeded);
  CHECK(s.model->cancelled.size() == 2);
}

TEST_CASE("the deadline ends a run that waits for a tool, however long the tool may take") {
  stage s;
  const auto slow = std::make_shared<fake_tool>();
  auto options = house({agent("solo")});
  auto tool = s.fake("slow", slow);
  tool.timeout = 1h;
  options.tools.emplace_back("solo", std::move(tool));
  s.begin(std::move(options));
  const auto reply = s.chat(prompt(2s));
  s.model->calls_tools({{"slow", "{}"}});
  s.run();
  REQUIRE(slow->open.size() == 1);
  s.advance(2001ms);
  CHECK(reply->code() == errc::deadline_exceeded);
}

TEST_CASE("the deadline ends a run that waits for a guardrail") {
  stage s;
  auto options = house({agent("solo")});
  options.config.agents[0].input_guardrails = {{"g"}};
  options.guardrails["g"] = {s.system().spawn(silent_guardrail), 1h};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt(2s));
  s.advance(2001ms);
  CHECK(reply->code() == errc::deadline_exceeded);
}

TEST_CASE("the deadline ends a run that waits for a model as a judge, whose call is cancelled") {
  stage s;
  auto options = house({agent("solo")});
  config::guardrail_options judge;
  judge.name = "g";
  judge.check = config::guardrail_options::judge{{}, "default"};
  judge.timeout = 1h;
  options.config.guardrails = {judge};
  options.config.agents[0].input_guardrails = {{"g"}};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt(2s));
  REQUIRE(s.model->calls.size() == 1);
  const auto key = s.model->calls.front().key;
  s.advance(2001ms);
  CHECK(reply->code() == errc::deadline_exceeded);
  CHECK(s.model->cancelled == std::vector<call_key>{key});
}

TEST_CASE("the deadline ends a run that waits for a hook, and it is the run whose time is over") {
  for (const auto point : {hook_point::before_run, hook_point::before_model, hook_point::after_model}) {
    stage s;
    auto options = house({agent("solo")});
    hook slow;
    slow.name = "slow";
    slow.points = {point};
    slow.timeout = 1h;
    slow.handler = s.system().spawn(silent_hook);
    options.hooks = {slow};
    s.begin(std::move(options));
    const auto reply = s.chat(prompt(2s));
    if (point == hook_point::after_model) {
      s.model->says("done");
      s.run();
    }
    s.advance(2001ms);
    CAPTURE(to_string(point));
    CHECK(reply->code() == errc::deadline_exceeded);
  }
}

TEST_CASE("a prompt whose time is over while it waits for its session is never begun") {
  stage s;
  s.begin(house({agent("solo")}));
  s.chat(prompt(10s));
  const auto second = s.chat(prompt(2s));
  s.advance(2001ms);
  CHECK(second->code() == errc::deadline_exceeded);
  s.model->says("1");
  s.run();
  CHECK(s.model->calls.empty());
}
