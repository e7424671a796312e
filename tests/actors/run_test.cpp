#include "tests/actors/support/stage.hpp"

#include <caf/sec.hpp>
#include <caf/send.hpp>
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
  return request;
}

using strings = std::vector<std::string>;

std::string last_output(const stage& s) {
  const auto& fresh = s.model->calls.front().request->fresh;
  return plain_text(std::get<tool_output>(fresh.back()).parts);
}

} // namespace

TEST_CASE("a handoff is a message forwarded: the next agent answers the one who asked") {
  stage s;
  s.begin(stage::two_agents());
  const auto reply = s.chat(prompt("help"));
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  CHECK(s.model->calls.front().request->agent == "ops");
  s.model->says("done");
  s.run();
  REQUIRE(reply->value);
  CHECK(reply->value->agent == "ops");
  CHECK(reply->value->items.size() == 4);
  CHECK(reply->value->used.total().requests == 1);
  CHECK(s.events == strings{"agent:triage", "handoff:triage>ops", "agent:ops"});
}

TEST_CASE("no run actor is left after its run") {
  stage s;
  s.begin(stage::two_agents());
  const auto before = s.system().registry().running();
  s.chat(prompt("help"));
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  s.model->says("done");
  s.run();
  // The session's own actor stays for a while.
  CHECK(s.system().registry().running() == before + 1);
}

TEST_CASE("a run that the model leaves waiting ends at its deadline, and the call is cancelled") {
  stage s;
  auto options = stage::two_agents();
  options.config.limits.run_timeout = 5s;
  s.begin(options);
  const auto reply = s.chat(prompt("help"));
  const auto key = s.model->calls.front().key;
  s.advance(4'999ms);
  CHECK_FALSE(reply->came());
  s.advance(2ms);
  CHECK(reply->code() == errc::deadline_exceeded);
  CHECK(s.model->cancelled == std::vector<call_key>{key});
}

TEST_CASE("the deadline counts over handoffs") {
  stage s;
  auto options = stage::two_agents();
  options.config.limits.run_timeout = 5s;
  s.begin(options);
  const auto reply = s.chat(prompt("help"));
  s.advance(3'000ms);
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  s.advance(2'001ms);
  CHECK(reply->code() == errc::deadline_exceeded);
}

TEST_CASE("function tools get their arguments and give their results as text") {
  stage s;
  auto options = stage::two_agents();
  options.tools.emplace_back("triage", function_tool(
                                           "add", "Adds",
                                           [](int a, std::optional<int> b) { return a + b.value_or(100); },
                                           parameter{"a", "first"}, parameter{"b", "second"}));
  s.begin(options);
  s.chat(prompt("help"));
  const auto& offered = *s.model->calls.front().request->tools;
  CHECK(offered.at(0).name == "add");
  CHECK(offered.at(0).input.document().at("required") == json::array({"a"}));
  s.model->calls_tools({{"add", R"({"a":1})"}});
  s.run();
  CHECK(last_output(s) == "101");
  CHECK(s.events == strings{"agent:triage", "tool:add", "done:add"});
}

TEST_CASE("what the model says beside its calls is told as it happens, a final message is not") {
  stage s;
  auto options = stage::two_agents();
  options.tools.emplace_back("triage", function_tool("now", "", [] { return "noon"; }));
  s.begin(options);
  s.chat(prompt("help"));
  s.model->calls_tools({{"now", "{}"}}, "let me look");
  s.run();
  s.model->says("noon it is");
  s.run();
  CHECK(s.events == strings{"agent:triage", "said:let me look", "tool:now", "done:now"});
}

TEST_CASE("an exception in a function tool ends neither the run nor the system") {
  stage s;
  auto options = stage::two_agents();
  options.tools.emplace_back(
      "triage", function_tool("boom", "", []() -> std::string { throw std::runtime_error("oh"); }));
  s.begin(options);
  const auto reply = s.chat(prompt("help"));
  s.model->calls_tools({{"boom", "{}"}});
  s.run();
  CHECK(last_output(s) == "Error: the tool 'boom' failed: oh");
  s.model->says("sorry");
  s.run();
  CHECK(reply->value->result == "sorry");
}

TEST_CASE("tools of one turn run at the same time, and their outputs stand in the model's order") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("slow", tool));
  s.begin(options);
  const auto reply = s.chat(prompt("help"));
  s.model->calls_tools({{"slow", "{}"}, {"slow", "{}"}});
  s.run();
  REQUIRE(tool->open.size() == 2);
  tool->answer(1, tool_result::text("second"));
  s.run();
  CHECK(s.model->calls.empty());
  tool->answer(0, tool_result::text("first"));
  s.run();
  CHECK(last_output(s) == "second");
}

TEST_CASE("a tool's error answer is shown to the model") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("slow", tool));
  s.begin(options);
  s.chat(prompt("help"));
  s.model->calls_tools({{"slow", "{}"}});
  s.run();
  tool->fail(0, to_caf(fail(errc::call_failed, "no such row")));
  s.run();
  CHECK(last_output(s) == "Error: no such row");
}

TEST_CASE("a tool's own timeout is its failure, not the end of the run") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("slow", tool));
  s.begin(options);
  s.chat(prompt("help"));
  s.model->calls_tools({{"slow", "{}"}});
  s.run();
  tool->fail(0, caf::sec::request_timeout);
  s.run();
  REQUIRE(s.model->calls.size() == 1);
  CHECK(last_output(s) == "Error: 'slow' did not answer within 30000 ms");
}

TEST_CASE("a tool that does not answer within its timeout gives the model an error result") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("slow", tool));
  options.tools.back().second.timeout = 3s;
  s.begin(options);
  const auto reply = s.chat(prompt("help"));
  s.model->calls_tools({{"slow", "{}"}});
  s.run();
  s.advance(2'999ms);
  CHECK(s.model->calls.empty());
  s.advance(1ms);
  REQUIRE(s.model->calls.size() == 1);
  CHECK(last_output(s) == "Error: 'slow' did not answer within 3000 ms");
  s.model->says("sorry");
  s.run();
  CHECK(reply->value->result == "sorry");
}

TEST_CASE("a number that the function's type cannot hold is refused before it is called") {
  stage s;
  auto options = stage::two_agents();
  options.tools.emplace_back("triage", function_tool(
                                           "half", "", [](int a) { return a / 2; }, parameter{"a", ""}));
  s.begin(options);
  s.chat(prompt("help"));
  s.model->calls_tools({{"half", R"({"a":5000000000})"}});
  s.run();
  CHECK_THAT(last_output(s), Catch::Matchers::Contains("break its schema"));
}

TEST_CASE("a tool actor that dies in a call fails the call, not the run") {
  stage s;
  auto options = stage::two_agents();
  const auto tool = std::make_shared<fake_tool>();
  options.tools.emplace_back("triage", s.fake("slow", tool));
  s.begin(options);
  const auto reply = s.chat(prompt("help"));
  caf::anon_send_exit(tool->keeper, caf::exit_reason::user_shutdown);
  s.run();
  s.model->calls_tools({{"slow", "{}"}});
  s.run();
  CHECK(last_output(s) == "Error: the actor that was asked is gone");
  s.model->says("sorry");
  s.run();
  CHECK(reply->value->result == "sorry");
}

TEST_CASE("an agent answers a prompt by itself, without a session") {
  stage s;
  s.begin(stage::two_agents());
  const auto reply = s.ask<run_reply>(s.actors.agents->find("triage")->second, run_request{"hi", nullptr});
  s.run();
  s.model->says("hello");
  s.run();
  REQUIRE(reply->value);
  CHECK(reply->value->result == "hello");
  CHECK(reply->value->agent == "triage");
}

TEST_CASE("an agent tells its tools and handoffs") {
  stage s;
  auto options = stage::two_agents();
  options.tools.emplace_back("triage", function_tool("now", "", [] { return "noon"; }));
  s.begin(options);
  const auto info = s.ask<agent_info>(s.actors.agents->find("triage")->second, info_atom::value);
  s.run();
  REQUIRE(info->value);
  CHECK(info->value->tools == strings{"now"});
  CHECK(info->value->handoffs == strings{"ops"});
}
