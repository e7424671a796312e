#include "actors/defaults.hpp"
#include "tests/actors/support/servers.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::prompt;
using troupe::test::servers;
using namespace std::chrono_literals;

namespace {

chat_request keyed(std::string text, const std::string& hash) {
  auto request = prompt(std::move(text), "key-run");
  request.key_hash = hash;
  request.is_logged = true;
  return request;
}

} // namespace

TEST_CASE("a run whose turn to be taken up has not come can be seen and cancelled") {
  servers s;
  constexpr int runs = 80;
  for (int i = 0; i < runs; ++i)
    s.now->chat(prompt("hi", "r" + std::to_string(i), "s" + std::to_string(i)));
  s.restart();
  const auto taken_up = s.now->model->calls.size();
  REQUIRE(taken_up < runs);
  int waiting = 0;
  for (int i = 0; i < runs; ++i) {
    const auto run_id = "r" + std::to_string(i);
    CHECK(s.show(run_id)->status == run_status::running);
    const auto before = s.now->model->calls.size();
    const auto cancelled =
        s.now->ask<run_record_ptr>(s.now->actors.sessions, cancel_atom::value, run_id, cancel_mode::at_once);
    s.now->run();
    CHECK(cancelled->value);
    waiting += s.now->model->calls.size() == before;
    CHECK(s.show(run_id)->status == run_status::cancelled);
  }
  CHECK(waiting > 0);
  s.restart();
  CHECK(s.now->model->calls.empty());
}

TEST_CASE("a key that was used for another request opens nobody's events") {
  servers s;
  const auto log_of = [&](const std::string& hash) {
    return s.now->ask<caf::strong_actor_ptr>(s.now->actors.sessions, events_atom::value,
                                             std::string("key-run"), caller{}, hash);
  };
  // Asked for before it is known what the key was used for.
  const auto first = s.now->ask<chat_reply>(s.now->actors.sessions, keyed("one", "h"), observer_actor());
  const auto early = log_of("h");
  const auto early_other = log_of("other");
  s.now->run();
  CHECK(early->value);
  // A log that is held outlives its server.
  early->value.reset();
  CHECK(early_other->code() == errc::invalid_argument);
  s.says("1");
  REQUIRE(first->value);
  for (const bool is_new_server : {false, true}) {
    if (is_new_server) {
      s.restart();
    }
    const auto own = log_of("h");
    const auto other = log_of("other");
    const auto any = log_of("");
    s.now->run();
    CHECK(own->value);
    CHECK(other->code() == errc::invalid_argument);
    CHECK(any->value);
    own->value.reset();
    any->value.reset();
  }
}

TEST_CASE("who asks again for a run in the background is answered once it cannot get lost") {
  servers s;
  auto request = prompt("one", "key-run");
  request.key_hash = "h";
  request.background = true;
  s.where->is_gone = true;
  const auto ask = [&] { return s.now->ask<chat_reply>(s.now->actors.sessions, request, observer_actor()); };
  const auto first = ask();
  const auto again = ask();
  s.now->run();
  CHECK(first->code() == errc::store_failed);
  CHECK(again->code() == errc::store_failed);
  s.restart();
  const auto later = ask();
  const auto later_again = ask();
  s.now->run();
  REQUIRE(later->value);
  REQUIRE(later_again->value);
  CHECK(later_again->value->status == run_status::running);
  CHECK(later_again->value->run_id == "key-run");
  CHECK(s.now->model->calls.size() == 1);
}

TEST_CASE("a run that ended on a full disk does not come back") {
  servers s;
  const auto answer = s.now->chat(prompt("one", "r"));
  s.where->is_full = true;
  s.says("1");
  for (auto waited = 0ms; waited < defaults::unwritten_end_patience;
       waited += defaults::unwritten_end_pause) {
    CHECK(!answer->came());
    s.now->advance(defaults::unwritten_end_pause);
  }
  CHECK(answer->code() == errc::store_full);
  s.where->is_full = false;
  s.now->advance(5s);
  s.restart();
  CHECK(s.now->model->calls.empty());
  const auto run = s.show("r");
  CHECK(run->status == run_status::failed);
  REQUIRE(run->failure);
  CHECK(run->failure->code == errc::store_full);
}

TEST_CASE("the end of a run that cannot be written for a while is told as it was, once it is written") {
  servers s;
  const bool is_paused = GENERATE(false, true);
  s.kill();
  s.start([&](runtime_options& options) {
    options.config.agents[0].tool_policies["pay"].approval.needed = is_paused;
  });
  const auto answer = s.now->chat(prompt("one", "r"));
  s.where->is_full = !is_paused;
  // What comes before the end is written.
  s.where->is_full_for = [](const session_append& each) { return each.run && each.run->ended; };
  if (is_paused)
    s.now->model->calls_tools({{"pay", "{}"}});
  else
    s.says("1");
  s.now->advance(14s);
  CHECK(!answer->came());
  CHECK(s.show("r")->status == run_status::running);
  s.where->is_full = false;
  s.where->is_full_for = nullptr;
  s.now->advance(defaults::unwritten_end_pause);
  REQUIRE(answer->value);
  const auto expected = is_paused ? run_status::paused : run_status::completed;
  CHECK(answer->value->status == expected);
  CHECK((*s.now->load("s")->value)->items.size() == (is_paused ? 1 : 2));
  s.restart();
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->status == expected);
}

TEST_CASE("a run whose end cannot be written when the server ends in order goes on with the next one") {
  servers s;
  const auto answer = s.now->chat(prompt("one", "r"));
  s.where->is_full = true;
  s.says("1");
  const auto stopped =
      s.now->ask<acknowledgement>(s.now->actors.sessions, stop_atom::value, caf::timespan(0));
  s.now->run();
  s.now->advance(defaults::unwritten_end_pause);
  CHECK(stopped->value);
  CHECK(answer->failure);
  s.restart();
  CHECK(s.now->model->calls.size() == 1);
}

TEST_CASE("who asks again after a full disk has a run that what is owed of the first try does not end") {
  servers s;
  s.where->is_full = true;
  CHECK(s.now->chat(keyed("one", "h"))->code() == errc::store_full);
  s.where->is_full = false;
  s.now->chat(keyed("one", "h"));
  REQUIRE(s.now->model->calls.size() == 1);
  s.now->advance(5s);
  s.restart();
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("1");
  CHECK(s.show("key-run")->result == "1");
}

TEST_CASE("a prompt that was refused by a full disk when its turn came is not carried out after a restart") {
  servers s;
  s.now->chat(prompt("one", "r1"));
  auto waiting = prompt("two", "r2");
  waiting.background = true;
  REQUIRE(s.now->chat(waiting)->value);
  s.where->is_full_for = [](const session_append& each) { return each.run && each.run->run_id == "r2"; };
  s.says("1");
  CHECK(s.show("r2")->status == run_status::failed);
  s.where->is_full_for = nullptr;
  s.now->advance(5s);
  s.restart();
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r2")->status == run_status::failed);
}

TEST_CASE("the key of a paused run is answered by what the run waits for, by the next server too") {
  servers s;
  auto request = prompt("one", "key-run");
  request.key_hash = "h";
  s.leave_in_doubt(request);
  for (const bool is_new_server : {false, true}) {
    if (is_new_server) {
      s.restart();
    }
    const auto again = s.now->chat(request);
    REQUIRE(again->value);
    CHECK(again->value->status == run_status::paused);
    CHECK(again->value->interruptions.size() == 1);
  }
}

TEST_CASE("on a full disk what is there can be read, and prompts are refused") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.says("1");
  s.where->is_full = true;
  CHECK(s.now->chat(prompt("two", "r2"))->code() == errc::store_full);
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->result == "1");
  const auto session = s.now->load("s");
  REQUIRE(session->value);
  CHECK((*session->value)->items.size() == 2);
  s.where->is_full = false;
  s.now->chat(prompt("three", "r3"));
  CHECK(s.now->model->calls.size() == 1);
}

TEST_CASE("a run that cannot be taken up for a full disk is taken up once there is room") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.kill();
  s.start([&](runtime_options&) { s.where->is_full = true; });
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->status == run_status::running);
  const auto pauses = GENERATE(0, 30);
  for (int i = 0; i < pauses; ++i)
    s.now->advance(defaults::longest_recovery_pause);
  CHECK(s.now->model->calls.empty());
  s.where->is_full = false;
  s.now->advance(pauses == 0 ? 1s : defaults::longest_recovery_pause);
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("1");
  CHECK(s.show("r")->result == "1");
}

TEST_CASE("a run whose actor died has failed, and does not come back") {
  servers s;
  auto request = prompt("one", "r");
  request.streamed = true;
  const auto answer = s.now->chat(request);
  REQUIRE(s.now->model->calls.size() == 1);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(s.now->model->calls.front().listener),
                      caf::exit_reason::kill);
  s.now->run();
  CHECK(answer->code() == errc::internal);
  s.now->advance(defaults::owed_pause);
  s.restart();
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->status == run_status::failed);
}

TEST_CASE("the runs of a session whose actor died have failed, and do not come back") {
  servers s;
  const auto before = s.now->ask<chat_reply>(s.now->actors.sessions, prompt("zero", "r0"), observer_actor());
  s.now->run();
  s.says("0");
  const auto answer = s.now->chat(prompt("one", "r"));
  caf::anon_send_exit(before->from, caf::exit_reason::kill);
  s.now->run();
  CHECK(answer->code() == errc::shutting_down);
  s.now->advance(defaults::owed_pause);
  s.restart();
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->status == run_status::failed);
}
