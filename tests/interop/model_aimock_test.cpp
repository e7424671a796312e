#include "tests/interop/support/aimock.hpp"
#include "tests/interop/support/household.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// The failure of a run, which never shows the key.
error failure_of(result<chat_reply> outcome) {
  REQUIRE(outcome.has_error());
  CHECK_THAT(outcome.error().detail, !Catch::Contains(model_key));
  return outcome.error();
}

} // namespace

TEST_CASE("a text comes back as the result, with what it cost") {
  const aimock endpoint({"text"});
  household home(one_agent(endpoint.model()));
  const auto reply = await(home.chat("hello")).value();
  CHECK(reply.result == "Hi there.");
  CHECK(reply.agent == "helper");
  CHECK(reply.used.total().requests == 1);
  CHECK(reply.used.total().input_tokens == 11);
  CHECK(reply.used.total().output_tokens == 3);
  CHECK(await(home.chat("unicode", "other")).value().result == "Grüße, 你好, \"quoted\"\nsecond line \\ end");

  const auto journal = endpoint.journal();
  REQUIRE(journal.size() == 2);
  const auto& body = journal.at(0).at("body");
  CHECK(body.at("model") == "test-model");
  CHECK(body.at("messages").at(0) == json{{"role", "system"}, {"content", "You help."}});
  CHECK(body.at("messages").at(1) == json{{"role", "user"}, {"content", "hello"}});
  CHECK(body.at("tools").size() == 2);
  CHECK(journal.at(0).at("headers").contains("authorization"));
}

TEST_CASE("tools are called one after the other until the model is content") {
  const aimock endpoint({"tools"});
  household home(one_agent(endpoint.model()));
  const auto reply = await(home.chat("add in sequence")).value();
  CHECK(reply.result == "The sum is 15.");
  CHECK(reply.used.total().requests == 3);
  const auto outputs = all_of<tool_output>(reply.items);
  REQUIRE(outputs.size() == 2);
  CHECK(plain_text(outputs[0].parts) == "5");
  CHECK(plain_text(outputs[1].parts) == "15");
}

TEST_CASE("tools called in parallel answer in the model's order") {
  const aimock endpoint({"tools"});
  household home(one_agent(endpoint.model()));
  const auto reply = await(home.chat("call both")).value();
  CHECK(reply.result == "Both have answered.");
  const auto outputs = all_of<tool_output>(reply.items);
  REQUIRE(outputs.size() == 2);
  CHECK(outputs[0].call_id == "call_a");
  CHECK(plain_text(outputs[0].parts) == "first");
  CHECK(outputs[1].call_id == "call_b");
  CHECK(plain_text(outputs[1].parts) == "42");

  // Both calls stand in one assistant message, beside its text.
  const auto messages = endpoint.journal().at(1).at("body").at("messages");
  REQUIRE(messages.size() == 5);
  CHECK(messages.at(2).at("content") == "I ask both.");
  CHECK(messages.at(2).at("tool_calls").size() == 2);
  CHECK(messages.at(3).at("tool_call_id") == "call_a");
  CHECK(messages.at(4).at("tool_call_id") == "call_b");
}

TEST_CASE("a model that calls wrongly is told, and may correct itself") {
  const aimock endpoint({"tools"});
  household home(one_agent(endpoint.model()));
  const auto broken = await(home.chat("broken arguments")).value();
  CHECK(broken.result == "I corrected myself.");
  CHECK(all_of<tool_output>(broken.items).at(0).is_error);
  const auto unknown = await(home.chat("unknown tool", "other")).value();
  CHECK(unknown.result == "There is no such tool.");
  CHECK(all_of<tool_output>(unknown.items).at(0).is_error);
}

TEST_CASE("a model that never ends is stopped at the turn limit") {
  const aimock endpoint({"tools"});
  household home(one_agent(endpoint.model()));
  CHECK(failure_of(await(home.chat("never ends"))).code == errc::max_turns_exceeded);
  CHECK(endpoint.journal().size() == 10);
}

TEST_CASE("a run is handed off to another agent, which calls its tool") {
  const aimock endpoint({"handoff"});
  runtime_options options;
  agent_definition triage;
  triage.name = "triage";
  triage.instructions = "You determine which agent to use.";
  triage.handoffs = {"calculator"};
  agent_definition calculator;
  calculator.name = "calculator";
  calculator.instructions = "You calculate.";
  options.config.agents = {triage, calculator};
  options.config.models = {endpoint.model()};
  add_tools(options, "calculator");
  household home(std::move(options));

  const auto reply = await(home.chat("What is the sum of 20 and 22?")).value();
  CHECK(reply.result == "It is 42.");
  CHECK(reply.agent == "calculator");
  const auto outputs = all_of<tool_output>(reply.items);
  REQUIRE(outputs.size() == 2);
  CHECK(parse_json(plain_text(outputs[0].parts)).value() == json{{"assistant", "calculator"}});
}

TEST_CASE("a refusal with Retry-After is tried again no sooner than it asks") {
  const aimock endpoint({"faults"});
  household home(one_agent(endpoint.model()));
  const auto begin = steady_clock::now();
  CHECK(await(home.chat("busy once")).value().result == "Now there is room.");
  CHECK(steady_clock::now() - begin >= 1s);
  CHECK(endpoint.statuses() == std::vector<int>{429, 200});
}

TEST_CASE("two failures of the server are tried again") {
  const aimock endpoint({"faults"});
  household home(one_agent(endpoint.model()));
  CHECK(await(home.chat("failing twice")).value().result == "The third try worked.");
  CHECK(endpoint.statuses() == std::vector<int>{500, 503, 200});
}

TEST_CASE("a server that keeps failing fails the run with its status and message") {
  const aimock endpoint({"faults"});
  household home(one_agent(endpoint.model()));
  const auto failed = failure_of(await(home.chat("always failing")));
  CHECK(failed.code == errc::model_failed);
  CHECK_THAT(failed.detail, Catch::Contains("500") && Catch::Contains("The server had an error"));
  CHECK(endpoint.statuses() == std::vector<int>{500, 500, 500});
}

TEST_CASE("a refused key fails the run at once") {
  const aimock endpoint({"faults"});
  household home(one_agent(endpoint.model()));
  const auto failed = failure_of(await(home.chat("bad key")));
  CHECK(failed.code == errc::model_failed);
  CHECK_THAT(failed.detail, Catch::Contains("401") && Catch::Contains("Incorrect API key provided"));
  CHECK(endpoint.statuses() == std::vector<int>{401});
}

TEST_CASE("an answer that is not JSON fails the run") {
  const aimock endpoint({"faults"});
  household home(one_agent(endpoint.model()));
  const auto failed = failure_of(await(home.chat("malformed")));
  CHECK(failed.code == errc::model_failed);
  CHECK_THAT(failed.detail, Catch::Contains("JSON"));
}

TEST_CASE("a connection that is cut is tried again, and then fails the run") {
  const aimock endpoint({"faults"});
  household home(one_agent(endpoint.model()));
  CHECK(failure_of(await(home.chat("cut connection"))).code == errc::model_failed);
  CHECK(endpoint.statuses() == std::vector<int>{0, 0, 0});
}

TEST_CASE("an answer that does not come in time fails the run") {
  const aimock endpoint({"faults"});
  auto model = endpoint.model();
  std::get<config::endpoint_options>(model.provider).timeout = 500ms;
  household home(one_agent(model));
  const auto begin = steady_clock::now();
  CHECK(failure_of(await(home.chat("no answer in time"))).code == errc::model_timeout);
  CHECK(steady_clock::now() - begin >= 500ms);
  CHECK(steady_clock::now() - begin < 20s);
}

TEST_CASE("a failed run leaves its session fit for the next") {
  const aimock endpoint({"faults", "text"});
  household home(one_agent(endpoint.model()));
  failure_of(await(home.chat("bad key")));
  CHECK(await(home.chat("hello")).value().result == "Hi there.");
}

TEST_CASE("one connection serves one call after the other") {
  const aimock endpoint({"text"});
  household home(one_agent(endpoint.model()));
  for (int i = 0; i < 10; ++i)
    REQUIRE(await(home.chat("hello", "session-" + std::to_string(i))).value().result == "Hi there.");
  CHECK(endpoint.connections() == 1);
}
