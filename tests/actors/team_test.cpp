#include "tests/actors/support/stage.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("a member that fails ends the team's run once the others are done") {
  stage s;
  s.begin(house(team_of(agent_kind::parallel)));
  const auto reply = s.chat(prompt("q"));
  s.model->fails(fail(errc::model_failed, "answered 500"));
  s.run();
  CHECK_FALSE(reply->came());
  s.model->says("2");
  s.run();
  CHECK(reply->code() == errc::model_failed);
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
  s.model->says("1");
  s.run();
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
