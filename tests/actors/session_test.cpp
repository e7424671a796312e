#include "actors/defaults.hpp"
#include "tests/actors/support/stage.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

chat_request prompt(std::string text, std::string session = "s", std::string run_id = {}) {
  chat_request request;
  request.prompt = std::move(text);
  request.session_id = std::move(session);
  request.run_id = std::move(run_id);
  return request;
}

} // namespace

TEST_CASE("a session serialises two runs that arrive at once, and the second sees the first") {
  stage s;
  s.begin(stage::two_agents());
  const auto first = s.chat(prompt("one"));
  const auto second = s.chat(prompt("two"));
  REQUIRE(s.model->calls.size() == 1);
  s.model->says("1");
  s.run();
  REQUIRE(first->value);
  CHECK(first->value->result == "1");
  CHECK_FALSE(second->came());
  REQUIRE(s.model->calls.size() == 1);
  CHECK(*s.model->calls.front().request->past ==
        item_list{user_message{"one"}, assistant_message{"triage", "1"}});
  s.model->says("2");
  s.run();
  REQUIRE(second->value);
  CHECK(second->value->result == "2");
}

TEST_CASE("runs of different sessions do not wait for each other") {
  stage s;
  s.begin(stage::two_agents());
  s.chat(prompt("one", "a"));
  s.chat(prompt("two", "b"));
  CHECK(s.model->calls.size() == 2);
}

TEST_CASE("a session goes on with the agent that last answered") {
  stage s;
  s.begin(stage::two_agents());
  s.chat(prompt("one"));
  s.model->calls_tools({{"transfer_to_ops", "{}"}});
  s.run();
  s.model->says("ops here");
  s.run();
  s.chat(prompt("two"));
  CHECK(s.model->calls.front().request->agent == "ops");
}

TEST_CASE("what the user said stays in the session when the model fails") {
  stage s;
  s.begin(stage::two_agents());
  const auto failed = s.chat(prompt("one"));
  s.model->fails(fail(errc::model_failed, "answered 500"));
  s.run();
  REQUIRE(failed->failure);
  CHECK(*failed->failure == fail(errc::model_failed, "answered 500"));
  const auto record = s.load("s");
  REQUIRE(record->value);
  CHECK((*record->value)->items == item_list{user_message{"one"}});
}

TEST_CASE("an unknown session is an error, a forgotten one too") {
  stage s;
  s.begin(stage::two_agents());
  CHECK(s.load("s")->failure->code == errc::unknown_session);
  s.chat(prompt("one"));
  s.model->says("1");
  s.run();
  CHECK(s.load("s")->value);
  const auto erased = s.ask<acknowledgement>(s.actors.sessions, erase_atom::value, std::string("s"));
  s.run();
  CHECK(erased->value);
  CHECK(s.load("s")->failure->code == errc::unknown_session);
  s.chat(prompt("two"));
  CHECK(s.model->calls.front().request->past->empty());
}

TEST_CASE("a session's queue is bounded") {
  stage s;
  auto options = stage::two_agents();
  options.config.sessions.max_queue = 2;
  s.begin(options);
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(s.chat(prompt("p"))->came());
  const auto refused = s.chat(prompt("p", "s", "late"));
  CHECK(refused->code() == errc::overloaded);
  const auto shown = s.ask<run_record_ptr>(s.actors.sessions, run_atom::value, std::string("late"));
  s.run();
  REQUIRE(shown->value);
  CHECK((*shown->value)->status == run_status::failed);
  for (int i = 0; i < 3; ++i) {
    s.model->says("x");
    s.run();
  }
  CHECK_FALSE(s.chat(prompt("p"))->came());
}

TEST_CASE("runs over all sessions are bounded, and count down as they end") {
  stage s;
  auto options = stage::two_agents();
  options.config.limits.max_runs = 1;
  s.begin(options);
  s.chat(prompt("p", "a"));
  CHECK(s.chat(prompt("p", "b"))->failure->code == errc::overloaded);
  s.model->says("x");
  s.run();
  CHECK_FALSE(s.chat(prompt("p", "b"))->came());
}

TEST_CASE("an idle session is put away and comes back from the store") {
  stage s;
  s.begin(stage::two_agents());
  s.chat(prompt("one"));
  s.model->says("1");
  s.run();
  const auto running = s.system().registry().running();
  s.advance(60'000ms + 2 * defaults::session_sweep);
  CHECK(s.system().registry().running() == running - 1);
  s.chat(prompt("two"));
  CHECK(s.model->calls.front().request->past->size() == 2);
}

TEST_CASE("of too many idle sessions the longest idle is put away at once, and none is lost") {
  stage s;
  auto options = stage::two_agents();
  options.config.sessions.max_idle = 2;
  s.begin(options);
  const auto before = s.system().registry().running();
  for (const auto* session : {"a", "b", "a", "c", "d"}) {
    s.chat(prompt("p", session));
    s.model->says("x");
    s.run();
  }
  CHECK(s.system().registry().running() == before + 2);
  s.chat(prompt("again", "a"));
  CHECK(s.model->calls.front().request->past->size() == 4);
}

TEST_CASE("a running run is cancelled by its id, and its model call with it") {
  stage s;
  s.begin(stage::two_agents());
  const auto cancelled = s.chat(prompt("one", "s", "r7"));
  const auto next = s.chat(prompt("two", "s", "r8"));
  const auto key = s.model->calls.front().key;
  s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("r7"), cancel_mode::at_once);
  s.run();
  CHECK(cancelled->code() == errc::cancelled);
  CHECK(s.model->cancelled == std::vector<call_key>{key});
  CHECK_FALSE(next->came());
  CHECK(s.model->calls.size() == 2);
}

TEST_CASE("a waiting run is cancelled by its id without disturbing the one that runs") {
  stage s;
  s.begin(stage::two_agents());
  const auto running = s.chat(prompt("one", "s", "r7"));
  const auto waiting = s.chat(prompt("two", "s", "r8"));
  s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("r8"), cancel_mode::at_once);
  s.run();
  CHECK(waiting->code() == errc::cancelled);
  s.model->says("1");
  s.run();
  CHECK(running->value->result == "1");
}

TEST_CASE("a stop lets runs finish, and takes no new ones") {
  stage s;
  s.begin(stage::two_agents());
  const auto running = s.chat(prompt("one"));
  const auto stopped = s.ask<acknowledgement>(s.actors.sessions, stop_atom::value, caf::timespan(10s));
  s.run();
  CHECK(s.chat(prompt("two"))->failure->code == errc::shutting_down);
  CHECK_FALSE(stopped->came());
  s.model->says("1");
  s.run();
  CHECK(running->value->result == "1");
  CHECK(stopped->value);
}

TEST_CASE("a stop cancels what has not finished within its grace") {
  stage s;
  s.begin(stage::two_agents());
  const auto running = s.chat(prompt("one"));
  const auto waiting = s.chat(prompt("two"));
  const auto stopped = s.ask<acknowledgement>(s.actors.sessions, stop_atom::value, caf::timespan(10s));
  s.run();
  s.advance(9'000ms);
  CHECK_FALSE(running->came());
  s.advance(1'001ms);
  CHECK(running->code() == errc::shutting_down);
  CHECK(waiting->code() == errc::shutting_down);
  CHECK(stopped->value);
}

TEST_CASE("what one busy session has refused or cancelled does not count against the others") {
  stage s;
  auto options = stage::two_agents();
  options.config.limits.max_runs = 3;
  options.config.sessions.max_queue = 1;
  s.begin(options);
  s.chat(prompt("one", "busy"));
  s.chat(prompt("two", "busy", "second"));
  for (int i = 0; i < 5; ++i)
    CHECK(s.chat(prompt("more", "busy"))->code() == errc::overloaded);
  s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("second"), cancel_mode::at_once);
  s.run();
  CHECK_FALSE(s.chat(prompt("q", "other"))->came());
  CHECK_FALSE(s.chat(prompt("q", "another"))->came());
  CHECK(s.chat(prompt("q", "a fourth"))->code() == errc::overloaded);
}

TEST_CASE(
    "two prompts that come at once to a session that is not loaded yet heed what they say of being busy") {
  stage s;
  s.begin(stage::two_agents());
  auto first = prompt("one", "s");
  auto second = prompt("two", "s");
  first.run_id = "r1";
  second.run_id = "r2";
  second.busy = GENERATE(busy_policy::reject, busy_policy::interrupt, busy_policy::enqueue);
  const auto ask = [&](const chat_request& what) {
    return s.ask<chat_reply>(s.actors.sessions, what, observer_actor());
  };
  const auto one = ask(first);
  const auto two = ask(second);
  s.run();
  switch (*second.busy) {
  case busy_policy::reject:
    CHECK(two->code() == errc::conflict);
    CHECK_FALSE(one->came());
    break;
  case busy_policy::interrupt:
    CHECK(one->code() == errc::cancelled);
    CHECK_FALSE(two->came());
    break;
  default:
    CHECK_FALSE(one->came());
    CHECK_FALSE(two->came());
  }
  s.model->says("answered");
  s.run();
  CHECK((*second.busy == busy_policy::interrupt ? two : one)->value);
}

TEST_CASE("who may not see a session takes no place in its queue") {
  stage s;
  auto options = stage::two_agents();
  options.config.sessions.max_queue = 2;
  s.begin(std::move(options));
  const auto from = [](const char* who, const char* text) {
    auto request = prompt(text, "s");
    request.by = {who, false};
    return request;
  };
  s.chat(from("ada", "one"));
  for (int i = 0; i < 5; ++i)
    CHECK(s.chat(from("bob", "mine"))->code() == errc::unknown_session);
  const auto next = s.chat(from("ada", "two"));
  CHECK_FALSE(next->came());
  s.model->says("1");
  s.run();
  s.model->says("2");
  s.run();
  CHECK(next->value);
}
