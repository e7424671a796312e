#include "actors/defaults.hpp"
#include "tests/actors/support/servers.hpp"

#include <catch2/catch.hpp>

#include <utility>

using namespace troupe;
using troupe::test::answer;
using troupe::test::disk;
using troupe::test::fake_tool;
using troupe::test::prompt;
using troupe::test::servers;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

/// Two servers over the same database at the same time: `now` is the one that outlives the other.
struct neighbours : servers {
  explicit neighbours(const std::function<void(runtime_options&)>& change = {}) : change_(change) {
    kill();
    start(change_);
    start_other();
  }

  /// `now` is the other one from here on.
  void change_places() {
    std::swap(now, other);
    std::swap(where, other_disk);
    std::swap(tool, other_tool);
  }

  void start_other() {
    change_places();
    start(change_);
    change_places();
  }

  void kill_other() {
    other_disk->is_gone = true;
    other.reset();
  }

  std::shared_ptr<answer<chat_reply>> accept(const std::string& text, const std::string& run_id) {
    auto request = prompt(text, run_id);
    request.background = true;
    request.key_hash = "h";
    const auto accepted = now->chat(request);
    REQUIRE(accepted->value);
    return accepted;
  }

  std::shared_ptr<answer<run_record_ptr>> try_cancel(const std::string& run_id) {
    const auto told =
        now->ask<run_record_ptr>(now->actors.sessions, cancel_atom::value, run_id, cancel_mode::at_once);
    now->run();
    return told;
  }

  std::shared_ptr<answer<chat_reply>> decide(const std::string& run_id, decision::verdict how) {
    resume_request decided;
    decided.run_id = run_id;
    decided.decisions = {{show(run_id)->interruptions.at(0).id, how}};
    const auto told = now->ask<chat_reply>(now->actors.sessions, decided, observer_actor());
    now->run();
    return told;
  }

  std::unique_ptr<stage> other;
  std::shared_ptr<disk> other_disk;
  std::shared_ptr<fake_tool> other_tool;

private:
  std::function<void(runtime_options&)> change_;
};

void with_approval(runtime_options& options) {
  options.config.agents[0].tool_policies["pay"].approval.needed = true;
}

} // namespace

TEST_CASE("what a server that is gone has left of a session goes before a prompt to it at one that was there "
          "before") {
  neighbours s;
  s.change_places();
  s.accept("one", "r1");
  s.accept("two", "r2");
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  s.tool->answer(0, tool_result::text("paid"));
  s.now->run();
  REQUIRE(s.now->model->calls.size() == 1);
  s.change_places();
  s.kill_other();
  s.accept("three", "r3");
  CHECK(s.tool->open.empty());
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh.size() == 3);
  s.says("1");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
  s.says("2");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->past->size() == 6);
  s.says("3");
  for (const auto* run_id : {"r1", "r2", "r3"})
    CHECK(s.show(run_id)->status == run_status::completed);
  s.restart();
  CHECK(s.now->model->calls.empty());
}

TEST_CASE("a call that a server has left in doubt is waited for by prompts at one that was there before") {
  neighbours s;
  s.change_places();
  s.accept("one", "r1");
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  s.change_places();
  s.kill_other();
  CHECK(s.now->chat(prompt("two", "r2"))->code() == errc::conflict);
  CHECK(s.tool->open.empty());
  REQUIRE(s.show("r1")->status == run_status::paused);
  s.decide("r1", decision::verdict::repeat);
  CHECK(s.tool->open.size() == 1);
}

TEST_CASE(
    "a run of a server that is gone is taken up by one that was there before as soon as it is asked for") {
  neighbours s;
  // The session is known here, from before.
  s.accept("zero", "r0");
  s.says("0");
  s.change_places();
  s.accept("one", "r1");
  s.change_places();
  REQUIRE(s.now->model->calls.empty());
  CHECK(s.show("r1")->status == run_status::running);
  CHECK(s.now->model->calls.empty());
  CHECK(s.try_cancel("r1")->code() == errc::conflict);
  s.kill_other();
  const auto way = GENERATE(std::string("show"), std::string("cancel"), std::string("resume"),
                            std::string("join"), std::string("read"), std::string("key"));
  if (way == "show") {
    CHECK(s.show("r1")->status == run_status::running);
  } else if (way == "cancel") {
    CHECK(s.try_cancel("r1")->value);
    CHECK(s.show("r1")->status == run_status::cancelled);
    return;
  } else if (way == "resume" || way == "join") {
    resume_request wanted;
    wanted.run_id = "r1";
    wanted.only_joins = way == "join";
    const auto told = s.now->ask<chat_reply>(s.now->actors.sessions, wanted, observer_actor());
    s.now->run();
    CHECK(told->code() == (way == "join" ? std::nullopt : std::optional(errc::conflict)));
  } else if (way == "read") {
    const auto log = s.now->ask<caf::strong_actor_ptr>(s.now->actors.sessions, events_atom::value,
                                                       std::string("r1"), caller{}, std::string());
    s.now->run();
    CHECK(log->value);
  } else {
    auto again = prompt("one", "r1");
    again.key_hash = "h";
    s.now->chat(again);
  }
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->past->size() == 2);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"one"}});
  s.says("1");
  CHECK(s.show("r1")->result == "1");
  const auto session = s.now->load("s");
  REQUIRE(session->value);
  CHECK((*session->value)->items.size() == 4);
}

TEST_CASE("a run that is taken up goes before prompts that wait already") {
  neighbours s;
  s.accept("zero", "r0");
  s.accept("two", "r2");
  s.change_places();
  s.accept("one", "r1");
  s.change_places();
  s.kill_other();
  CHECK(s.show("r1")->status == run_status::running);
  s.says("0");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"one"}});
  s.says("1");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
}

TEST_CASE("of two servers that were there one takes up what a third has left, and the other says so") {
  neighbours s;
  s.change_places();
  s.accept("one", "r1");
  s.kill();
  s.start();
  s.change_places();
  CHECK(s.show("r1")->status == run_status::running);
  CHECK(s.now->model->calls.size() + s.other->model->calls.size() == 1);
  s.change_places();
  if (s.now->model->calls.empty())
    CHECK(s.try_cancel("r1")->code() == errc::conflict);
}

TEST_CASE("runs under way here are not taken for left ones because another server is gone") {
  neighbours s;
  s.accept("one", "r1");
  s.accept("two", "r2");
  s.change_places();
  auto elsewhere = prompt("hi", "r9", "another");
  elsewhere.background = true;
  s.now->chat(elsewhere);
  s.change_places();
  s.kill_other();
  s.says("1");
  REQUIRE(s.now->model->calls.size() == 1);
  s.now->advance(61s);
  s.now->advance(61s);
  CHECK(s.now->chat(prompt("hi", "r3", "another"))->came() == false);
  // That of the other server, and "two".
  CHECK(s.now->model->calls.size() == 2);
  CHECK(s.show("r9")->status == run_status::running);
}

TEST_CASE("a server that was told which runs to take up leaves the others alone") {
  neighbours s([](runtime_options& options) { options.runs_to_take_up = {"none", ""}; });
  s.change_places();
  s.accept("one", "r1");
  s.change_places();
  s.kill_other();
  CHECK(s.show("r1")->status == run_status::running);
  CHECK(s.now->model->calls.empty());
  s.accept("two", "r2");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
}

TEST_CASE("a run that was paused here and settled by another server is over here, and prompts go on") {
  neighbours s(with_approval);
  s.accept("one", "r1");
  s.accept("two", "r2");
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  REQUIRE(s.show("r1")->status == run_status::paused);
  CHECK(s.now->chat(prompt("three", "r3"))->code() == errc::conflict);
  s.change_places();
  s.decide("r1", decision::verdict::reject);
  s.says("1");
  s.change_places();
  const bool is_seen = GENERATE(true, false);
  if (is_seen)
    CHECK(s.show("r1")->status == run_status::completed);
  else
    s.now->chat(prompt("three", "r3"));
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
  CHECK(s.now->model->calls.front().request->past->size() == 4);
  s.says("2");
  CHECK(s.now->model->calls.size() == (is_seen ? 0 : 1));
}

TEST_CASE("a run that was paused here and is carried by another server is that one's, until it is gone") {
  neighbours s(with_approval);
  s.accept("one", "r1");
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  REQUIRE(s.show("r1")->status == run_status::paused);
  s.change_places();
  s.decide("r1", decision::verdict::approve);
  REQUIRE(s.tool->open.size() == 1);
  s.tool->answer(0, tool_result::text("paid"));
  s.now->run();
  REQUIRE(s.now->model->calls.size() == 1);
  s.change_places();
  CHECK(s.show("r1")->status == run_status::running);
  const auto refused = s.now->chat(prompt("two", "r2"));
  REQUIRE(refused->failure);
  CHECK(refused->failure->detail == "the session's run 'r1' is carried by another server");
  s.kill_other();
  s.now->chat(prompt("two", "r2"));
  CHECK(s.tool->open.empty());
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh.size() == 3);
  s.says("1");
  CHECK(s.show("r1")->result == "1");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
}

TEST_CASE(
    "where it cannot be seen what is left of a session its prompts are refused, and its runs are shown") {
  neighbours s(with_approval);
  s.change_places();
  s.accept("one", "r1");
  s.accept("two", "r2");
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  s.change_places();
  s.kill_other();
  s.where->cannot_adopt = true;
  CHECK(s.now->chat(prompt("three", "r3"))->code() == errc::unavailable);
  CHECK(s.show("r1")->status == run_status::paused);
  CHECK(s.show("r2")->status == run_status::running);
  CHECK(s.now->chat(prompt("three", "r3"))->code() == errc::unavailable);
  s.where->cannot_adopt = false;
  // It stands behind what waits for a decision.
  CHECK(s.now->chat(prompt("three", "r3"))->code() == errc::conflict);
  s.decide("r1", decision::verdict::reject);
  s.says("1");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
}
