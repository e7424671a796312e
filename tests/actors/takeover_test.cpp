#include "actors/defaults.hpp"
#include "tests/actors/support/servers.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::prompt;
using troupe::test::servers;
using namespace std::chrono_literals;

TEST_CASE("a run that was cancelled while it waited to be taken up is not carried out by the next server") {
  servers s;
  s.now->chat(prompt("one", "r1"));
  s.now->chat(prompt("two", "r2"));
  s.restart();
  s.cancel("r2");
  const bool is_in_order = GENERATE(false, true);
  if (is_in_order)
    s.shut_down();
  else
    s.kill();
  s.start();
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("1");
  CHECK(s.show("r1")->status == run_status::completed);
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r2")->status == run_status::cancelled);
  // What never began leaves nothing in its session.
  CHECK((*s.now->load("s")->value)->items.size() == 2);
}

TEST_CASE("a run that is cancelled while it cannot be taken up ends as cancelled once it can") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.kill();
  s.start([&](runtime_options&) { s.where->is_full = true; });
  s.cancel("r");
  s.now->advance(defaults::longest_recovery_pause);
  CHECK(s.show("r")->status == run_status::running);
  s.where->is_full = false;
  s.now->advance(defaults::longest_recovery_pause);
  CHECK(s.show("r")->status == run_status::cancelled);
  s.restart();
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->status == run_status::cancelled);
}

TEST_CASE("a run that waited and cannot begin with the next server is tried again until it can") {
  servers s;
  s.now->chat(prompt("one", "r1"));
  s.now->chat(prompt("two", "r2"));
  s.kill();
  s.start([&](runtime_options&) {
    s.where->is_full_for = [](const session_append& each) { return each.run && each.run->begins; };
  });
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("1");
  for (int i = 0; i < 5; ++i)
    s.now->advance(defaults::longest_recovery_pause);
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r2")->status == run_status::running);
  const bool is_cancelled = GENERATE(false, true);
  if (is_cancelled)
    s.cancel("r2");
  s.where->is_full_for = nullptr;
  s.now->advance(defaults::longest_recovery_pause);
  CHECK(s.now->model->calls.size() == (is_cancelled ? 0 : 1));
  CHECK(s.show("r2")->status == (is_cancelled ? run_status::cancelled : run_status::running));
}

TEST_CASE("a run that waited and could not begin before a shutdown is left to the next server") {
  servers s;
  s.now->chat(prompt("one", "r1"));
  s.now->chat(prompt("two", "r2"));
  s.kill();
  s.start([&](runtime_options&) {
    s.where->is_full_for = [](const session_append& each) { return each.run && each.run->begins; };
  });
  s.says("1");
  const auto stopped =
      s.now->ask<acknowledgement>(s.now->actors.sessions, stop_atom::value, caf::timespan(0));
  s.now->run();
  s.now->advance(defaults::longest_recovery_pause);
  CHECK(stopped->value);
  s.restart();
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("2");
  CHECK(s.show("r2")->result == "2");
}

TEST_CASE("servers that end in order while a run is under way do not use up its takeovers") {
  servers s;
  s.now->chat(prompt("one", "r"));
  for (int i = 0; i < 6; ++i) {
    s.shut_down();
    s.start();
    REQUIRE(s.now->model->calls.size() == 1);
  }
  for (unsigned i = 0; i < 3; ++i) {
    s.restart();
    REQUIRE(s.now->model->calls.size() == 1);
  }
  s.restart();
  CHECK(s.now->model->calls.empty());
  const auto run = s.show("r");
  CHECK(run->status == run_status::failed);
  REQUIRE(run->failure);
  CHECK(run->failure->detail == "the server crashed 4 times while this run was under way");
}

TEST_CASE(
    "runs whose sessions' actor died have failed, and neither their keys nor a restart bring them back") {
  servers s;
  auto request = prompt("one", "r1");
  request.key_hash = "h";
  const auto first = s.now->chat(request);
  s.now->chat(prompt("two", "r2"));
  caf::anon_send_exit(s.now->actors.sessions, caf::exit_reason::kill);
  s.now->run();
  CHECK(first->code() == errc::shutting_down);
  s.now->actors.sessions = s.now->where->current()->sessions;
  for (const bool is_new_server : {false, true}) {
    if (is_new_server) {
      s.restart();
      CHECK(s.now->model->calls.empty());
    }
    for (const auto* run_id : {"r1", "r2"}) {
      const auto run = s.show(run_id);
      CHECK(run->status == run_status::failed);
      REQUIRE(run->failure);
      CHECK(run->failure->code == errc::internal);
    }
    CHECK(s.now->chat(request)->code() == errc::internal);
  }
}

TEST_CASE("runs whose turn to be taken up had not come when the sessions' actor died go on all the same") {
  servers s;
  constexpr int runs = 80;
  for (int i = 0; i < runs; ++i)
    s.now->chat(prompt("hi", "r" + std::to_string(i), "s" + std::to_string(i)));
  s.restart();
  const auto begun = s.now->model->calls.size();
  REQUIRE(begun < runs);
  caf::anon_send_exit(s.now->actors.sessions, caf::exit_reason::kill);
  s.now->run();
  s.now->actors.sessions = s.now->where->current()->sessions;
  std::size_t under_way = 0;
  for (int i = 0; i < runs; ++i)
    under_way += s.show("r" + std::to_string(i))->status == run_status::running;
  CHECK(under_way == runs - begun);
}
