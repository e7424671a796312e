#include "tests/actors/support/stage.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace troupe;
using troupe::test::fake_tool;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

chat_request prompt(std::string text) {
  chat_request request;
  request.prompt = std::move(text);
  request.session_id = "s";
  request.run_id = "r";
  return request;
}

agent_definition agent(std::string name) {
  agent_definition made;
  made.name = std::move(name);
  return made;
}

agent_definition team_of(agent_kind kind) {
  auto made = agent("team");
  made.kind = kind;
  made.members.members = {"a", "b"};
  return made;
}

runtime_options house(agent_definition first) {
  runtime_options options;
  options.config.agents = {std::move(first), agent("a"), agent("b"), agent("judge")};
  return options;
}

agent_definition boss() {
  auto made = agent("boss");
  made.agent_tools = {{"a", "ask_a", "asks a"}};
  return made;
}

std::string asked(const stage& s, std::size_t call) {
  const auto& request = *s.model->calls.at(call).request;
  return request.agent + ":" + std::get<user_message>(request.fresh.front()).text;
}

} // namespace

TEST_CASE("a parallel team asks all members at once for the same input, and joins in their order") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  const auto reply = s.chat(prompt("q"));
  REQUIRE(s.model->calls.size() == 2);
  CHECK(asked(s, 0) == "a:q");
  CHECK(asked(s, 1) == "b:q");
  s.model->says("1");
  s.model->says("2");
  s.run();
  REQUIRE(reply->value);
  CHECK(reply->value->result == "## a\n\n1\n\n## b\n\n2");
  CHECK(reply->value->agent == "team");
  CHECK(reply->value->used.total().requests == 2);
}

TEST_CASE("a judge makes the output of a parallel team's") {
  stage s;
  auto judged = team_of(agent_kind::parallel);
  judged.members.judge = "judge";
  s.begin(house(judged));
  const auto reply = s.chat(prompt("q"));
  s.model->says("1");
  s.model->says("2");
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  CHECK(asked(s, 0).starts_with("judge:q\n"));
  s.model->says("best");
  s.run();
  CHECK(reply->value->result == "best");
}

TEST_CASE("members of a sequential team are asked for the output of the one before") {
  stage s;
  s.begin(house(team_of(agent_kind::sequential)));
  const auto reply = s.chat(prompt("q"));
  REQUIRE(s.model->calls.size() == 1);
  s.model->says("1");
  s.run();
  CHECK(asked(s, 0) == "b:1");
  s.model->says("2");
  s.run();
  CHECK(reply->value->result == "2");
}

TEST_CASE("a loop ends when its condition holds") {
  stage s;
  auto loop = team_of(agent_kind::loop);
  loop.members.members = {"a"};
  loop.members.until = [](const json& scope) -> result<bool> { return scope.at("output") == "ok"; };
  s.begin(house(loop));
  const auto reply = s.chat(prompt("q"));
  s.model->says("not yet");
  s.run();
  CHECK_FALSE(reply->came());
  s.model->says("ok");
  s.run();
  CHECK(reply->value->result == "ok");
}

TEST_CASE("a member that fails ends the team's run, and the others are cancelled with it") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  const auto reply = s.chat(prompt("q"));
  s.model->fails(fail(errc::model_failed, "answered 500"));
  s.run();
  CHECK(reply->code() == errc::model_failed);
  CHECK(s.model->cancelled.size() == 1);
}

TEST_CASE("what a nested run has spent counts though the run is stopped before it answers") {
  stage s;
  auto options = house(boss());
  options.tools.emplace_back("a", s.fake("look", std::make_shared<fake_tool>()));
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("q"));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  s.model->calls_tools({{"look", "{}"}});
  s.run();
  s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("r"), cancel_mode::at_once);
  s.run();
  CHECK(reply->code() == errc::cancelled);
  const auto record = s.ask<run_record_ptr>(s.actors.sessions, run_atom::value, std::string("r"));
  s.run();
  const auto& shares = (*record->value)->used.shares();
  REQUIRE(shares.size() == 2);
  CHECK(shares[0].agent == "boss");
  CHECK(shares[1].agent == "a");
}

TEST_CASE("events of nested runs say which run they are of") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  s.chat(prompt("q"));
  REQUIRE(s.events.size() == 3);
  CHECK(s.events[0] == "agent:team");
  CHECK(s.events[1].starts_with("agent:a in r/"));
  CHECK(s.events[2].starts_with("agent:b in r/"));
  CHECK(s.events[1].substr(8) != s.events[2].substr(8));
}

TEST_CASE("cancelling a team cancels its members") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  const auto reply = s.chat(prompt("q"));
  s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("r"), cancel_mode::at_once);
  s.run();
  CHECK(reply->code() == errc::cancelled);
  CHECK(s.model->cancelled.size() == 2);
}

TEST_CASE("an agent as a tool runs on the text it is given, and its usage counts") {
  stage s;
  s.begin(house(boss()));
  const auto reply = s.chat(prompt("q"));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  CHECK(asked(s, 0) == "a:sub");
  s.model->says("answer");
  s.run();
  CHECK(s.model->calls.front().request->agent == "boss");
  const auto& output = std::get<tool_output>(s.model->calls.front().request->fresh.back());
  CHECK(plain_text(output.parts) == "answer");
  s.model->says("done");
  s.run();
  CHECK(reply->value->result == "done");
  CHECK(reply->value->used.shares().size() == 2);
}

TEST_CASE("an approval that a nested agent needs is seen and given from outside") {
  stage s;
  const auto tool = std::make_shared<fake_tool>();
  auto options = house(boss());
  options.config.agents[1].tool_policies["pay"].approval.needed = true;
  options.tools.emplace_back("a", s.fake("pay", tool));
  s.begin(std::move(options));
  const auto paused = s.chat(prompt("q"));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  s.model->calls_tools({{"pay", "{}"}});
  s.run();
  REQUIRE(paused->value);
  REQUIRE(paused->value->interruptions.size() == 1);
  const auto& waits = paused->value->interruptions.front();
  CHECK(waits.agent == "a");
  CHECK(waits.tool == "pay");
  const auto done =
      s.ask<chat_reply>(s.actors.sessions, resume_request{"r", {{waits.id}}, false}, observer_actor());
  s.run();
  REQUIRE(tool->open.size() == 1);
  tool->answer(0, tool_result::text("paid"));
  s.run();
  s.model->says("inner");
  s.run();
  s.model->says("outer");
  s.run();
  REQUIRE(done->value);
  CHECK(done->value->result == "outer");
}

TEST_CASE("what is spent anywhere counts once, and branches at the same time cannot overshoot together") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  auto request = prompt("q");
  request.spending.model_calls = 1;
  const auto reply = s.chat(std::move(request));
  CHECK(s.model->calls.size() == 1);
  REQUIRE(reply->failure);
  CHECK(reply->failure->code == errc::budget_exceeded);
  REQUIRE(reply->failure->facts);
  CHECK(reply->failure->facts->at("kind") == "model_calls");
  CHECK(reply->failure->facts->at("limit") == 1);
}

TEST_CASE("a run that takes longer than its budget of time ends with it") {
  stage s;
  s.begin(house(agent("solo")));
  auto request = prompt("q");
  request.spending.wall_time = 1000ms;
  const auto reply = s.chat(std::move(request));
  s.advance(1001ms);
  REQUIRE(reply->failure);
  CHECK(reply->failure->code == errc::budget_exceeded);
  CHECK(reply->failure->facts->at("kind") == "wall_time_ms");
}

TEST_CASE("a session's budget holds over its runs") {
  stage s;
  auto options = house(agent("solo"));
  options.config.sessions.spending.total_tokens = 7;
  s.begin(std::move(options));
  s.chat(prompt("q"));
  s.model->says("1");
  s.run();
  const auto second = s.chat(prompt("a longer question"));
  CHECK(second->code() == errc::budget_exceeded);
}

TEST_CASE("a nested run that was handed on goes on where it had paused") {
  stage s;
  const auto tool = std::make_shared<fake_tool>();
  auto options = house(boss());
  options.config.agents[1].handoffs = {"b"};
  options.config.agents[2].tool_policies["pay"].approval.needed = true;
  options.tools.emplace_back("b", s.fake("pay", tool));
  s.begin(std::move(options));
  const auto paused = s.chat(prompt("q"));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  s.model->calls_tools({{"transfer_to_b", "{}"}});
  s.run();
  s.model->calls_tools({{"pay", "{}"}});
  s.run();
  REQUIRE(paused->value);
  const auto& waits = paused->value->interruptions.at(0);
  CHECK(waits.agent == "b");
  const auto done =
      s.ask<chat_reply>(s.actors.sessions, resume_request{"r", {{waits.id}}, false}, observer_actor());
  s.run();
  REQUIRE(tool->open.size() == 1);
  tool->answer(0, tool_result::text("paid"));
  s.run();
  CHECK(s.model->calls.front().request->agent == "b");
  s.model->says("inner");
  s.run();
  s.model->says("outer");
  s.run();
  REQUIRE(done->value);
  CHECK(done->value->result == "outer");
  CHECK(done->value->used.total().requests == 2);
}

TEST_CASE("an agent as a tool that takes too long is the model's to deal with, whatever the run may take") {
  stage s;
  auto options = house(boss());
  options.config.agents[0].tool_policies["ask_a"].timeout = 1000ms;
  s.begin(std::move(options));
  auto request = prompt("q");
  request.spending.wall_time = 60'000ms;
  const auto reply = s.chat(std::move(request));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  s.advance(1001ms);
  CHECK_FALSE(reply->came());
  REQUIRE(s.model->calls.size() == 2);
  const auto& told = std::get<tool_output>(s.model->calls.back().request->fresh.back());
  CHECK(told.is_error);
  CHECK(plain_text(told.parts).find("deadline") != std::string::npos);
}

TEST_CASE("branches that a budget has nothing left for at the moment wait for each other") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  auto request = prompt("q");
  request.spending.total_tokens = 3'000;
  const auto reply = s.chat(std::move(request));
  REQUIRE(s.model->calls.size() == 1);
  CHECK(s.model->calls.front().request->settings.max_tokens.value() > 2'900);
  s.model->says("1");
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  s.model->says("2");
  s.run();
  CHECK(reply->value);
}

TEST_CASE("what a branch had reserved is free again when it ends before its answer") {
  stage s;
  auto options = house(boss());
  options.config.agents[0].tool_policies["ask_a"].timeout = 1000ms;
  s.begin(std::move(options));
  auto request = prompt("q");
  request.spending.total_tokens = 3'000;
  const auto reply = s.chat(std::move(request));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  s.advance(1001ms);
  REQUIRE(s.model->calls.size() == 2);
  CHECK(s.model->calls.back().request->agent == "boss");
  CHECK_FALSE(reply->came());
}

TEST_CASE("what a run has produced comes with the error of its budget") {
  stage s;
  s.begin(house(agent("solo")));
  auto request = prompt("q");
  request.spending.model_calls = 1;
  const auto reply = s.chat(std::move(request));
  s.model->calls_tools({{"nope", "{}"}}, "wait");
  s.run();
  REQUIRE(reply->code() == errc::budget_exceeded);
  const auto& facts = *reply->failure->facts;
  CHECK(facts.at("budget") == "run");
  CHECK(facts.at("items").size() == 4);
  CHECK(facts.at("items").at(1).at("content") == "wait");
  CHECK(facts.contains("usage"));
}

TEST_CASE("a hook that stops an agent as a tool stops the run") {
  stage s;
  auto options = house(boss());
  hook strict;
  strict.points = {hook_point::before_run};
  strict.agents = {"a"};
  strict.handler = [](const hook_call&) { throw std::runtime_error("no"); };
  options.hooks = {strict};
  s.begin(std::move(options));
  const auto reply = s.chat(prompt("q"));
  s.model->calls_tools({{"ask_a", R"({"input":"sub"})"}});
  s.run();
  CHECK(reply->code() == errc::hook_failed);
}
