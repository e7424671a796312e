#include "actors/defaults.hpp"
#include "tests/actors/support/servers.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::answer;
using troupe::test::prompt;
using troupe::test::servers;
using namespace std::chrono_literals;

namespace {

/// A session whose first run, "r1", pauses while others wait.
struct paused_session : servers {
  paused_session() {
    kill();
    start(with_approval);
    now->chat(prompt("one", "r1"));
  }

  static void with_approval(runtime_options& options) {
    options.config.agents[0].tool_policies["pay"].approval.needed = true;
  }

  std::shared_ptr<answer<chat_reply>> accept(const std::string& run_id,
                                             std::optional<std::chrono::milliseconds> within = {}) {
    auto request = prompt(run_id, run_id);
    request.background = true;
    request.within = within;
    request.key_hash = "hash of " + run_id;
    const auto accepted = now->chat(request);
    REQUIRE(accepted->value);
    return accepted;
  }

  void pause() {
    now->model->calls_tools({{"pay", "{}"}});
    now->run();
    REQUIRE(show("r1")->status == run_status::paused);
  }

  std::shared_ptr<answer<chat_reply>> approve() {
    resume_request decided;
    decided.run_id = "r1";
    decided.decisions = {{show("r1")->interruptions.at(0).id, decision::verdict::approve}};
    const auto told = now->ask<chat_reply>(now->actors.sessions, decided, observer_actor());
    now->run();
    return told;
  }

  /// The next run of the session, in the order of acceptance.
  void expect_next(const std::string& run_id) {
    REQUIRE(now->model->calls.size() == 1);
    CHECK(now->model->calls.front().request->fresh == item_list{user_message{run_id}});
    now->model->says("to " + run_id);
    now->run();
    CHECK(show(run_id)->result == "to " + run_id);
  }
};

} // namespace

TEST_CASE("what was accepted behind a run that pauses waits until that is settled, and is carried out") {
  paused_session s;
  s.accept("r2");
  const auto direct = s.now->chat(prompt("r3", "r3"));
  s.accept("r4");
  s.pause();
  // Who waits for the answer learns that it will take somebody's word.
  CHECK(direct->code() == errc::conflict);
  CHECK(s.now->chat(prompt("r5", "r5"))->code() == errc::conflict);
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r2")->status == run_status::running);
  const bool is_resumed = GENERATE(true, false);
  if (is_resumed) {
    s.approve();
    REQUIRE(s.tool->open.size() == 1);
    s.tool->answer(0, tool_result::text("paid"));
    s.now->run();
    s.says("1");
    CHECK(s.show("r1")->result == "1");
  } else {
    s.cancel("r1");
  }
  s.expect_next("r2");
  s.expect_next("r4");
  CHECK(s.now->model->calls.empty());
}

TEST_CASE("what waits behind a paused run waits with the next server too") {
  paused_session s;
  s.accept("r2");
  s.pause();
  const bool is_in_order = GENERATE(false, true);
  if (is_in_order)
    s.shut_down();
  else
    s.kill();
  s.start(paused_session::with_approval);
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r1")->status == run_status::paused);
  CHECK(s.show("r2")->status == run_status::running);
  // The same request again is told so, too.
  CHECK(s.accept("r2")->value->status == run_status::running);
  s.cancel("r1");
  s.expect_next("r2");
}

TEST_CASE("a server that ends in order does not wait for what waits behind a paused run") {
  paused_session s;
  s.accept("r2");
  const bool pauses_later = GENERATE(false, true);
  if (!pauses_later)
    s.pause();
  const auto stopped =
      s.now->ask<acknowledgement>(s.now->actors.sessions, stop_atom::value, caf::timespan(10s));
  s.now->run();
  if (pauses_later) {
    CHECK(!stopped->came());
    s.pause();
  }
  CHECK(stopped->value);
}

TEST_CASE("what waits behind a paused run can be cancelled, and has its deadline") {
  paused_session s;
  s.accept("r2");
  s.accept("r3", 60s);
  s.pause();
  s.cancel("r2");
  CHECK(s.show("r2")->status == run_status::cancelled);
  s.now->advance(61s);
  const auto late = s.show("r3");
  CHECK(late->status == run_status::failed);
  REQUIRE(late->failure);
  CHECK(late->failure->code == errc::deadline_exceeded);
  s.cancel("r1");
  CHECK(s.now->model->calls.empty());
}

TEST_CASE("a session that is full of what waits behind its paused run can still be gone on with") {
  paused_session s;
  for (int i = 0; i < 64; ++i)
    s.accept("w" + std::to_string(i));
  CHECK(s.now->chat(prompt("more", "more"))->code() == errc::overloaded);
  s.pause();
  s.approve();
  CHECK(s.tool->open.size() == 1);
}

TEST_CASE("what waits behind a paused run goes with its session") {
  paused_session s;
  s.accept("r2");
  s.pause();
  const auto erased =
      s.now->ask<acknowledgement>(s.now->actors.sessions, erase_atom::value, std::string("s"));
  s.now->run();
  CHECK(erased->value);
  CHECK(s.now->model->calls.empty());
  CHECK(s.now->load("s")->code() == errc::unknown_session);
  s.now->chat(prompt("r3", "r3"));
  s.expect_next("r3");
}

TEST_CASE("sessions with paused runs do not keep others from being taken up") {
  servers s;
  s.kill();
  s.start(paused_session::with_approval);
  const auto sessions = defaults::recovering_runs;
  for (std::size_t i = 0; i < sessions; ++i) {
    const auto number = std::to_string(i);
    s.now->chat(prompt("one", "a" + number, number));
    auto waiting = prompt("two", "b" + number, number);
    waiting.background = true;
    s.now->chat(waiting);
    s.now->model->calls_tools({{"pay", "{}"}});
    s.now->run();
  }
  // Comes last when they are taken up: it waits too.
  s.now->chat(prompt("first", "first", "other"));
  s.now->chat(prompt("last", "last", "other"));
  s.where->is_full_for = [](const session_append& each) { return each.run && each.run->run_id == "last"; };
  s.says("done");
  s.kill();
  s.start(paused_session::with_approval);
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"last"}});
}

TEST_CASE("a prompt that takes the place of a paused run comes after what was accepted before it") {
  paused_session s;
  s.accept("r2");
  s.pause();
  auto taking = prompt("r3", "r3");
  taking.busy = busy_policy::interrupt;
  s.now->chat(taking);
  CHECK(s.show("r1")->status == run_status::cancelled);
  s.expect_next("r2");
  s.expect_next("r3");
}

TEST_CASE("what waits behind a paused run keeps its order over a restart") {
  paused_session s;
  for (const auto* each : {"r2", "r3", "r4"})
    s.accept(each);
  s.pause();
  s.kill();
  s.start(paused_session::with_approval);
  auto taking = prompt("r5", "r5");
  taking.busy = busy_policy::interrupt;
  s.now->chat(taking);
  for (const auto* each : {"r2", "r3", "r4", "r5"})
    s.expect_next(each);
}
