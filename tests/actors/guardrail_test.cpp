#include "tests/actors/support/stage.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace troupe;
using troupe::test::fake_tool;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;
using guardrail::action;
using guardrail::verdict;

chat_request prompt(std::string text) {
  chat_request request;
  request.prompt = std::move(text);
  request.session_id = "s";
  return request;
}

guardrail_function says(action what, std::string text = {}, std::string message = {}) {
  return [=](const guardrail_question&) -> result<verdict> { return verdict{what, text, message}; };
}

runtime_options guarded(guardrail_function function) {
  auto options = stage::two_agents();
  options.config.agents[0].input_guardrails = {{"g", false}};
  options.guardrails["g"].check = std::move(function);
  return options;
}

hook_actor::behavior_type never_answering(hook_actor::pointer self) {
  return {[self](const hook_call&) { return self->make_response_promise<acknowledgement>(); }};
}

} // namespace

TEST_CASE("a guardrail that trips ends the run before the model is asked, and what the user said stays") {
  stage s;
  s.begin(guarded(says(action::trip, {}, "not here")));
  const auto reply = s.chat(prompt("bad"));
  CHECK(s.model->calls.empty());
  REQUIRE(reply->failure);
  CHECK(reply->failure->code == errc::guardrail_tripped);
  CHECK(reply->failure->facts->at("guardrail") == "g");
  CHECK((*s.load("s")->value)->items == item_list{user_message{"bad"}});
  CHECK(s.events == strings{"agent:triage", "trip:g"});
}

TEST_CASE("what a guardrail rewrites is what the model and the session get") {
  stage s;
  s.begin(guarded(says(action::rewrite, "masked")));
  s.chat(prompt("secret"));
  REQUIRE(s.model->calls.size() == 1);
  CHECK(s.model->calls.front().request->fresh == item_list{user_message{"masked"}});
  s.model->says("ok");
  s.run();
  CHECK((*s.load("s")->value)->items.front() == item(user_message{"masked"}));
}

TEST_CASE("an exception in a guardrail ends that run with a typed error") {
  stage s;
  s.begin(guarded([](const guardrail_question&) -> result<verdict> { throw std::runtime_error("oops"); }));
  const auto reply = s.chat(prompt("q"));
  CHECK(reply->code() == errc::internal);
  CHECK(reply->failure->detail.find("oops") != std::string::npos);
  CHECK(s.model->calls.empty());
}

TEST_CASE("a model as judge is asked, and its usage counts") {
  stage s;
  auto options = stage::two_agents();
  options.config.agents[0].input_guardrails = {{"polite", false}};
  config::guardrail_options judge;
  judge.name = "polite";
  judge.check = config::guardrail_options::judge{{"be polite", action::trip, {}}, "default"};
  options.config.guardrails = {judge};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("you fool"));
  REQUIRE(s.model->calls.size() == 1);
  CHECK(s.model->calls.front().request->agent == "judge");
  s.model->says(R"({"allowed": false, "reason": "rude"})");
  s.run();
  CHECK(reply->code() == errc::guardrail_tripped);
  CHECK(reply->failure->detail.find("rude") != std::string::npos);
}

TEST_CASE("hooks are told of each point, and one that fails closed ends the run") {
  stage s;
  auto options = stage::two_agents();
  auto seen = std::make_shared<strings>();
  hook watch;
  watch.points = {hook_point::before_run,     hook_point::before_model,  hook_point::after_model,
                  hook_point::before_handoff, hook_point::after_handoff, hook_point::after_run};
  watch.handler = [seen](const hook_call& call) { seen->push_back(std::string(to_string(call.point))); };
  options.hooks = {watch};
  s.begin(std::move(options));
  s.chat(prompt("q"));
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  s.model->says("done");
  s.run();
  CHECK(*seen == strings{"before_run", "before_model", "after_model", "before_handoff", "after_handoff",
                         "before_model", "after_model", "after_run"});
}

TEST_CASE("hooks are told what the model and the tools have said") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("a", tool));
  auto seen = std::make_shared<std::map<hook_point, json>>();
  hook watch;
  watch.points = {hook_point::after_model, hook_point::after_tool, hook_point::after_handoff};
  watch.handler = [seen](const hook_call& call) { seen->insert_or_assign(call.point, *call.facts); };
  options.hooks = {watch};
  s.begin(std::move(options));
  s.chat(prompt("q"));
  s.model->calls_tools({{"a", "{}"}});
  s.run();
  tool->answer(0, tool_result::text("x"));
  s.run();
  CHECK(seen->at(hook_point::after_model).at("output").at(0).at("name") == "a");
  CHECK(seen->at(hook_point::after_tool).at("output") == "x");
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  CHECK(seen->at(hook_point::after_handoff) == json{{"from", "triage"}, {"to", "ops"}});
}

TEST_CASE("a hook that throws ends the run, or not, as it was told") {
  for (const bool open : {true, false}) {
    stage s;
    auto options = stage::two_agents();
    hook broken;
    broken.name = "audit";
    broken.points = {hook_point::before_model};
    broken.handler = [](const hook_call&) { throw std::runtime_error("no"); };
    broken.fails_open = open;
    options.hooks = {broken};
    s.begin(std::move(options));
    const auto reply = s.chat(prompt("q"));
    CHECK(s.model->calls.size() == (open ? 1 : 0));
    CHECK(reply->code() == (open ? std::nullopt : std::optional(errc::hook_failed)));
  }
}

TEST_CASE("a judge's call counts against the run's budget") {
  stage s;
  auto options = stage::two_agents();
  options.config.agents[0].input_guardrails = {{"polite", false}};
  config::guardrail_options judge;
  judge.name = "polite";
  judge.check = config::guardrail_options::judge{{"be polite", action::trip, {}}, "default"};
  options.config.guardrails = {judge};
  options.config.limits.spending.model_calls = 1;
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("hello"));
  REQUIRE(s.model->calls.size() == 1);
  s.model->says(R"({"allowed": true, "reason": ""})");
  s.run();
  CHECK(s.model->calls.empty());
  CHECK(reply->code() == errc::budget_exceeded);
}

TEST_CASE("hooks and watchers are told a tool's output as its guardrails left it") {
  stage s;
  auto options = guarded(says(action::rewrite, "*"));
  options.config.agents[0].input_guardrails.clear();
  options.config.agents[0].tool_output_guardrails = {{"g"}};
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("a", tool));
  auto seen = std::make_shared<std::vector<json>>();
  hook watch;
  watch.points = {hook_point::after_tool};
  watch.handler = [seen](const hook_call& call) { seen->push_back(*call.facts); };
  options.hooks = {watch};
  s.begin(std::move(options));
  s.chat(prompt("q"));
  s.model->calls_tools({{"a", "{}"}, {"nope", "{}"}});
  s.run();
  CHECK(seen->empty());
  tool->answer(0, tool_result::text("secret"));
  s.run();
  REQUIRE(seen->size() == 1);
  CHECK(seen->front().at("output") == "*");
  CHECK(s.events == strings{"agent:triage", "tool:a", "done:nope!", "rewrite:g", "done:a"});
}

TEST_CASE("hooks that take their time after a run do not make its session give it up") {
  stage s;
  auto options = stage::two_agents();
  options.config.limits.run_timeout = 1000ms;
  hook slow;
  slow.name = "slow";
  slow.points = {hook_point::after_run};
  slow.timeout = 60'000ms;
  slow.handler = s.system().spawn(never_answering);
  options.hooks = {slow};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("q"));
  s.advance(1001ms);
  CHECK_FALSE(reply->came());
  s.advance(4000ms);
  CHECK(reply->code() == errc::deadline_exceeded);
}

TEST_CASE("a run that is cancelled while a hook is being told goes nowhere") {
  stage s;
  auto options = stage::two_agents();
  hook slow;
  slow.points = {hook_point::before_handoff};
  slow.timeout = 60'000ms;
  slow.handler = s.system().spawn(never_answering);
  options.hooks = {slow};
  s.begin(std::move(options));
  auto request = prompt("q");
  request.run_id = "r";
  const auto reply = s.chat(std::move(request));
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("r"), cancel_mode::at_once);
  s.run();
  CHECK(reply->code() == errc::cancelled);
  s.advance(60'001ms);
  CHECK(s.model->calls.empty());
}

TEST_CASE("what was to follow a hook that ends the run does not happen") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("a", tool));
  hook strict;
  strict.points = {hook_point::before_tool};
  strict.handler = [](const hook_call& call) {
    if (call.facts->at("call_id") == "c0")
      throw std::runtime_error("no");
  };
  options.hooks = {strict};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("q"));
  s.model->calls_tools({{"a", "{}"}, {"a", "{}"}});
  s.run();
  CHECK(reply->code() == errc::hook_failed);
  CHECK(tool->open.empty());
}

namespace {

/// Agent "triage" whose input is first looked at by "g", then rid of e-mail addresses.
runtime_options masking(guardrail_function first) {
  auto options = guarded(std::move(first));
  config::guardrail_options mask;
  mask.name = "mask";
  mask.check = guardrail::builtin{guardrail::pii_rule{}};
  options.config.guardrails = {mask};
  options.config.agents[0].input_guardrails = {{"g", false}, {"mask", false}};
  return options;
}

} // namespace

TEST_CASE("what was to be masked is not kept though another guardrail trips before") {
  stage s;
  s.begin(masking(says(action::trip, {}, "no")));
  const auto reply = s.chat(prompt("mail joe@example.com"));
  CHECK(reply->code() == errc::guardrail_tripped);
  const auto items = (*s.load("s")->value)->items;
  REQUIRE(items.size() == 1);
  CHECK(std::get<user_message>(items.front()).text.find("joe@") == std::string::npos);
}

TEST_CASE("a paused run has what the user said in its session, masked") {
  stage s;
  auto options = masking(says(action::pass));
  options.config.agents[0].tool_policies["a"].approval.needed = true;
  options.tools.emplace_back("triage", s.fake("a", std::make_shared<fake_tool>()));
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("mail joe@example.com"));
  s.model->calls_tools({{"a", "{}"}});
  s.run();
  REQUIRE(reply->value);
  const auto items = (*s.load("s")->value)->items;
  REQUIRE(items.size() == 1);
  CHECK(std::get<user_message>(items.front()).text.find("joe@") == std::string::npos);
  const auto done = s.ask<chat_reply>(
      s.actors.sessions,
      resume_request{
          reply->value->run_id, {{reply->value->interruptions.at(0).id, decision::verdict::reject}}, false},
      observer_actor());
  s.run();
  s.model->says("ok");
  s.run();
  REQUIRE(done->value);
  CHECK((*s.load("s")->value)->items.size() == 4);
}

TEST_CASE("a judge that takes too long is cancelled") {
  stage s;
  auto options = stage::two_agents();
  options.config.agents[0].input_guardrails = {{"polite", false}};
  config::guardrail_options judge;
  judge.name = "polite";
  judge.timeout = 500ms;
  judge.check = config::guardrail_options::judge{{"be polite", action::trip, {}}, "default"};
  options.config.guardrails = {judge};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("hello"));
  const auto key = s.model->calls.front().key;
  s.advance(501ms);
  CHECK(reply->failure);
  CHECK(s.model->cancelled == std::vector<call_key>{key});
}
