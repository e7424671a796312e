#include "tests/actors/support/servers.hpp"
#include "tests/libagent/session/sqlite_peer.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::prompt;
using troupe::test::servers;

namespace {

/// A server over a database with a paused run, "r" of the session "s", that something has happened to.
class house_with_damage {
public:
  explicit house_with_damage(const std::string& damage) {
    auto request = prompt("one", "r");
    request.key_hash = "h";
    s.leave_in_doubt(request);
    s.kill();
    other_program{s.folder / "s.db"}.run(damage);
    s.start();
  }
  auto cancel() {
    const auto answer = s.now->ask<run_record_ptr>(s.now->actors.sessions, cancel_atom::value,
                                                   std::string("r"), cancel_mode::at_once);
    s.now->run();
    return answer;
  }
  auto resume() {
    resume_request request;
    request.run_id = "r";
    const auto answer = s.now->ask<chat_reply>(s.now->actors.sessions, request, observer_actor());
    s.now->run();
    return answer;
  }
  void check_it_has_failed() {
    const auto run = s.show("r");
    CHECK(run->status == run_status::failed);
    REQUIRE(run->failure);
    CHECK(run->failure->code == errc::store_failed);
    CHECK_THAT(run->failure->detail, Catch::Contains("'r'"));
  }

  servers s;
};

constexpr auto flipped = "UPDATE paused_runs SET state = replace(state, 'pay', 'yap')";

} // namespace

TEST_CASE("a paused run that is damaged ends as failed, whatever is asked of its session first") {
  const auto damage =
      GENERATE(as<std::string>(), flipped, "UPDATE paused_runs SET state = '{', checksum = NULL");
  const auto first = GENERATE(as<std::string>(), "show", "chat", "cancel", "resume", "again");
  CAPTURE(first);
  house_with_damage h(damage);
  if (first == "chat") {
    h.s.now->chat(prompt("two", "r2"));
    CHECK(h.s.now->model->calls.size() == 1);
  } else if (first == "cancel") {
    REQUIRE(h.cancel()->value);
    CHECK(h.cancel()->code() == errc::conflict);
  } else if (first == "resume") {
    CHECK(h.resume()->code() == errc::conflict);
  } else if (first == "again") {
    auto request = prompt("one", "r");
    request.key_hash = "h";
    CHECK(h.s.now->chat(request)->code() == errc::store_failed);
    CHECK(h.s.now->chat(request)->code() == errc::store_failed);
  }
  h.check_it_has_failed();
  if (first != "chat")
    h.s.now->chat(prompt("two", "r2"));
  REQUIRE(h.s.now->model->calls.size() == 1);
  h.s.now->model->says("2");
  h.s.now->run();
  CHECK(h.s.show("r2")->result == "2");
}

TEST_CASE("a damaged run stays failed, and what is left of it stays where it is") {
  house_with_damage h(flipped);
  h.check_it_has_failed();
  h.s.kill();
  h.s.start();
  h.check_it_has_failed();
  const auto left = open(h.s.folder / "s.db")->load_paused("r").value();
  REQUIRE(left);
  CHECK(left->is_damaged);
  CHECK_THAT(left->state, Catch::Contains("yap"));
}

TEST_CASE("a paused run of a newer version is no damage, and stays") {
  house_with_damage h(
      "UPDATE paused_runs SET state = replace(state, '\"troupe_run\":1', '\"troupe_run\":9'), "
      "checksum = NULL");
  CHECK(h.cancel()->code() == errc::store_failed);
  CHECK(h.s.now->chat(prompt("two", "r2"))->code() == errc::store_failed);
  h.s.kill();
  other_program{h.s.folder / "s.db"}.run(
      "UPDATE paused_runs SET state = replace(state, '\"troupe_run\":9', '\"troupe_run\":1')");
  h.s.start();
  CHECK(h.s.show("r")->status == run_status::paused);
}
