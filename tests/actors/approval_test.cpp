#include "actors/error.hpp"
#include "actors/session.hpp"
#include "actors/told_event.hpp"
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

/// Agent "triage" with a tool "pay" that somebody has to allow, and agent "ops".
struct house {
  house() {
    auto options = stage::two_agents();
    options.config.agents[0].tool_policies["pay"].approval.needed = true;
    options.tools.emplace_back("triage", s.fake("pay", tool));
    s.begin(std::move(options));
  }

  std::shared_ptr<test::answer<chat_reply>> pause() {
    auto reply = s.chat(prompt("pay"));
    s.model->calls_tools({{"pay", R"({"amount":5})"}});
    s.run();
    return reply;
  }

  std::shared_ptr<test::answer<chat_reply>> resume(decision what) {
    auto reply =
        s.ask<chat_reply>(s.actors.sessions, resume_request{"r", {std::move(what)}, false}, observer_actor());
    s.run();
    return reply;
  }

  /// The run as clients see it.
  run_record show() {
    const auto shown = s.ask<run_record_ptr>(s.actors.sessions, run_atom::value, std::string("r"));
    s.run();
    return shown->value ? **shown->value : run_record{};
  }

  void cancel() {
    s.ask<run_record_ptr>(s.actors.sessions, cancel_atom::value, std::string("r"), cancel_mode::at_once);
    s.run();
  }

  stage s;
  std::shared_ptr<fake_tool> tool = std::make_shared<fake_tool>();
};

/// A store that keeps nothing, and refuses to for as long as `works` is false.
store_actor::behavior_type moody_store(store_actor::pointer, const std::shared_ptr<bool>& works) {
  return {
      [](info_atom, const std::string&) -> caf::result<session_record_ptr> {
        return to_caf(fail(errc::unknown_session, "there is none"));
      },
      [works](session_append&) -> caf::result<acknowledgement> {
        if (!*works)
          return to_caf(fail(errc::store_failed, "the disk is full"));
        return acknowledgement{};
      },
      [](run_atom, const std::string&) -> caf::result<std::string> {
        return to_caf(fail(errc::unknown_run, "there is none"));
      },
      [](erase_atom, const std::string&) { return acknowledgement{}; },
      [](adopt_atom, const std::string&) { return adopted_runs_ptr(); },
      [](finished_atom, run_change&) {},
      [](journal_atom, const std::string&) -> caf::result<stored_run_ptr> {
        return to_caf(fail(errc::unknown_run, "there is none"));
      },
      [](head_atom, const std::string&) -> caf::result<run_head_ptr> {
        return to_caf(fail(errc::unknown_run, "there is none"));
      },
      [](events_atom, const std::string&, std::uint64_t, std::uint64_t) {
        return std::make_shared<const std::vector<stored_event>>();
      },
      [](events_atom, const std::string&, std::uint64_t, std::uint64_t, std::uint64_t) {
        return std::make_shared<const std::vector<stored_event>>();
      },
  };
}

} // namespace

TEST_CASE("a run that needs an approval pauses, and holds no actor of its own") {
  house h;
  h.s.chat(prompt("hello"));
  h.s.model->says("hi");
  h.s.run();
  const auto before = h.s.system().registry().running();
  const auto reply = h.pause();
  REQUIRE(reply->value);
  CHECK(reply->value->status == run_status::paused);
  REQUIRE(reply->value->interruptions.size() == 1);
  const auto& waits = reply->value->interruptions.front();
  CHECK(waits.tool == "pay");
  CHECK(waits.agent == "triage");
  CHECK(*waits.arguments == json{{"amount", 5}});
  CHECK(h.tool->open.empty());
  CHECK(h.s.system().registry().running() == before);
}

TEST_CASE("an approved call runs, and the run goes on to its end") {
  house h;
  const auto id = h.pause()->value->interruptions.front().id;
  const auto done = h.resume({id});
  REQUIRE(h.tool->open.size() == 1);
  const auto shown = h.s.ask<run_record_ptr>(h.s.actors.sessions, run_atom::value, std::string("r"));
  h.s.run();
  CHECK((*shown->value)->status == run_status::running);
  h.tool->answer(0, tool_result::text("paid"));
  h.s.run();
  h.s.model->says("done");
  h.s.run();
  REQUIRE(done->value);
  CHECK(done->value->result == "done");
  const auto record = h.s.load("s");
  REQUIRE(record->value);
  CHECK((*record->value)->items == done->value->items);
  CHECK_FALSE((*record->value)->paused);
}

TEST_CASE("a rejected call does not run, and the model is told why") {
  house h;
  decision no{h.pause()->value->interruptions.front().id};
  no.what = decision::verdict::reject;
  no.message = "too much";
  h.resume(no);
  CHECK(h.tool->open.empty());
  REQUIRE(h.s.model->calls.size() == 1);
  const auto& output = std::get<tool_output>(h.s.model->calls.front().request->fresh.back());
  CHECK(plain_text(output.parts) == "too much");
  CHECK(output.is_error);
}

TEST_CASE("what is approved for good is not asked again on the session") {
  house h;
  decision always{h.pause()->value->interruptions.front().id};
  always.always = true;
  h.resume(always);
  h.tool->answer(0, tool_result::text("paid"));
  h.s.run();
  h.s.model->says("done");
  h.s.run();
  // The session comes back from the store and still knows.
  h.s.advance(120'000ms);
  h.s.chat(prompt("again"));
  h.s.model->calls_tools({{"pay", R"({"amount":6})"}});
  h.s.run();
  CHECK(h.tool->open.size() == 2);
}

TEST_CASE("a paused run outlives its session's actor") {
  house h;
  const auto id = h.pause()->value->interruptions.front().id;
  h.s.advance(120'000ms);
  h.resume({id});
  CHECK(h.tool->open.size() == 1);
}

TEST_CASE("while a run is paused its session takes no prompt, and says which run to resume") {
  house h;
  h.pause();
  const auto refused = h.s.chat(prompt("hello"));
  REQUIRE(refused->failure);
  CHECK(refused->failure->code == errc::conflict);
  REQUIRE(refused->failure->facts);
  CHECK(refused->failure->facts->at("run_id") == "r");
}

TEST_CASE("decisions that do not fit leave the run paused") {
  house h;
  h.pause();
  CHECK(h.resume({"9.9"})->code() == errc::invalid_argument);
  const auto shown = h.s.ask<run_record_ptr>(h.s.actors.sessions, run_atom::value, std::string("r"));
  h.s.run();
  REQUIRE(shown->value);
  CHECK((*shown->value)->status == run_status::paused);
  CHECK((*shown->value)->interruptions.size() == 1);
}

TEST_CASE("a paused run is cancelled with a history that is complete") {
  house h;
  h.pause();
  const auto cancelled = h.s.ask<run_record_ptr>(h.s.actors.sessions, cancel_atom::value, std::string("r"),
                                                 cancel_mode::at_once);
  h.s.run();
  CHECK(cancelled->value);
  const auto record = h.s.load("s");
  REQUIRE(record->value);
  REQUIRE((*record->value)->items.size() == 3);
  CHECK(std::holds_alternative<tool_output>((*record->value)->items.back()));
  const auto shown = h.s.ask<run_record_ptr>(h.s.actors.sessions, run_atom::value, std::string("r"));
  h.s.run();
  CHECK((*shown->value)->status == run_status::cancelled);
  CHECK_FALSE(h.s.chat(prompt("hello"))->came());
}

TEST_CASE("a paused run is forgotten with its session") {
  house h;
  h.pause();
  h.s.ask<acknowledgement>(h.s.actors.sessions, erase_atom::value, std::string("s"));
  h.s.run();
  const auto shown = h.s.ask<run_record_ptr>(h.s.actors.sessions, run_atom::value, std::string("r"));
  h.s.run();
  CHECK(shown->code() == errc::unknown_run);
}

TEST_CASE("resuming what is not paused is a conflict, and what is not known an unknown run") {
  house h;
  h.s.chat(prompt("hello"));
  CHECK(h.resume({"0.0"})->code() == errc::conflict);
  const auto unknown =
      h.s.ask<chat_reply>(h.s.actors.sessions, resume_request{"other", {{"0.0"}}, false}, observer_actor());
  h.s.run();
  CHECK(unknown->code() == errc::unknown_run);
}

TEST_CASE("a resumption that waits is cancelled with its run") {
  house h;
  const auto id = h.pause()->value->interruptions.front().id;
  const auto ask = [&] {
    return h.s.ask<chat_reply>(h.s.actors.sessions, resume_request{"r", {{id}}, false}, observer_actor());
  };
  const auto first = ask();
  const auto second = ask();
  h.s.run();
  h.cancel();
  CHECK(first->code() == errc::cancelled);
  CHECK(second->code() == errc::cancelled);
  CHECK(h.show().status == run_status::cancelled);
  CHECK_FALSE(h.s.chat(prompt("hello"))->came());
}

TEST_CASE("a run whose end cannot be stored is told as an error, and stays paused where it was") {
  house h;
  const auto id = h.pause()->value->interruptions.front().id;
  const auto resumed = h.resume({id});
  // In order, so that it is not made again.
  caf::anon_send_exit(h.s.actors.store, caf::exit_reason::user_shutdown);
  h.s.run();
  h.tool->answer(0, tool_result::text("paid"));
  h.s.run();
  h.s.model->says("done");
  h.s.run();
  CHECK(resumed->failure);
  CHECK(h.show().status == run_status::paused);
}

TEST_CASE("a pause that cannot be stored fails the run") {
  house h;
  const auto reply = h.s.chat(prompt("pay"));
  // In order, so that it is not made again.
  caf::anon_send_exit(h.s.actors.store, caf::exit_reason::user_shutdown);
  h.s.run();
  h.s.model->calls_tools({{"pay", "{}"}});
  h.s.run();
  CHECK(reply->failure);
  CHECK(h.show().status == run_status::failed);
}

TEST_CASE("a cancel that meets a run as it pauses ends it") {
  for (int steps = 0; steps < 12; ++steps) {
    house h;
    const auto reply = h.s.chat(prompt("pay"));
    h.s.model->calls_tools({{"pay", "{}"}});
    h.s.run(steps);
    h.s.ask<run_record_ptr>(h.s.actors.sessions, cancel_atom::value, std::string("r"), cancel_mode::at_once);
    h.s.run();
    INFO(steps);
    CHECK(reply->came());
    CHECK(h.show().status == run_status::cancelled);
    const auto next = h.s.chat(prompt("hello"));
    INFO((next->failure ? next->failure->detail : std::string()));
    CHECK_FALSE(next->came());
  }
}

TEST_CASE("what a run shows is gone with its session, whenever that is erased") {
  house h;
  h.s.chat(prompt("hello"));
  h.s.ask<acknowledgement>(h.s.actors.sessions, erase_atom::value, std::string("s"));
  h.s.run();
  h.s.model->says("hi");
  h.s.run();
  const auto shown = h.s.ask<run_record_ptr>(h.s.actors.sessions, run_atom::value, std::string("r"));
  h.s.run();
  CHECK(shown->code() == errc::unknown_run);
}

TEST_CASE("a run whose pause could not be stored does not come back when the store does") {
  house h;
  const auto works = std::make_shared<bool>(true);
  session_environment around;
  around.store = h.s.system().spawn(moody_store, works);
  around.agents = h.s.actors.agents;
  around.default_agent = "triage";
  const auto session =
      h.s.system().spawn(session_behavior, "s",
                         std::make_shared<const session_environment>(std::move(around)), h.s.actors.sessions);
  const auto ask = [&](const char* text) {
    const auto reply = h.s.ask<chat_reply>(session, prompt(text), observer_actor());
    h.s.run();
    return reply;
  };
  const auto lost = ask("pay");
  *works = false;
  h.s.model->calls_tools({{"pay", "{}"}});
  h.s.run();
  CHECK(lost->code() == errc::store_failed);
  *works = true;
  const auto next = ask("hello");
  h.s.model->says("hi");
  h.s.run();
  CHECK(next->value);
  CHECK_FALSE(ask("and again")->came());
  caf::anon_send_exit(session, caf::exit_reason::user_shutdown);
  h.s.run();
}

namespace {

/// The events of the run after that one, so far.
std::vector<std::string> events_of(stage& s, const run_log_actor& log, std::uint64_t after = 0) {
  const auto found = s.ask<run_events_ptr>(log, events_atom::value, after);
  s.run();
  std::vector<std::string> names;
  if (found->value)
    for (const auto& each : (*found->value)->events)
      names.push_back(event_from_stored(each.text).name);
  return names;
}

std::shared_ptr<test::answer<caf::strong_actor_ptr>> log_of(stage& s, const std::string& run_id,
                                                            const caller& by = {}) {
  auto found = s.ask<caf::strong_actor_ptr>(s.actors.sessions, events_atom::value, run_id, by, std::string());
  s.run();
  return found;
}

chat_request logged(std::string run_id, std::string session, caller by = {}) {
  auto request = prompt("pay");
  request.run_id = std::move(run_id);
  request.session_id = std::move(session);
  request.is_logged = true;
  request.by = std::move(by);
  return request;
}

} // namespace

TEST_CASE("a run that is resumed by somebody who does not watch tells its readers all the same") {
  house h;
  h.s.ask<chat_reply>(h.s.actors.sessions, logged("r", "s"), observer_actor());
  h.s.run();
  h.s.model->calls_tools({{"pay", "{}"}});
  h.s.run();
  const auto log = caf::actor_cast<run_log_actor>(*log_of(h.s, "r")->value);
  const auto before = events_of(h.s, log).size();
  CHECK(before > 0);
  h.resume({"1.0", decision::verdict::approve});
  h.tool->answer(0, tool_result::text("paid"));
  h.s.run();
  CHECK_FALSE(events_of(h.s, log, before).empty());
  // The log is the same as long as the run goes on.
  CHECK(caf::actor_cast<run_log_actor>(*log_of(h.s, "r")->value) == log);
}

TEST_CASE("the log of a paused run goes with its session") {
  house h;
  const auto pause_and_erase = [&](const std::string& run_id) {
    h.s.ask<chat_reply>(h.s.actors.sessions, logged(run_id, run_id), observer_actor());
    h.s.run();
    h.s.model->calls_tools({{"pay", "{}"}});
    h.s.run();
    h.s.ask<acknowledgement>(h.s.actors.sessions, erase_atom::value, run_id);
    h.s.run();
    h.s.advance(10min);
    return h.s.system().registry().running();
  };
  const auto once = pause_and_erase("a");
  CHECK(pause_and_erase("b") == once);
}

TEST_CASE("the events of a paused run are there for whoever may see it, also once it is not registered") {
  stage s;
  const auto tool = std::make_shared<fake_tool>();
  auto options = stage::two_agents();
  options.config.agents[0].tool_policies["pay"].approval.needed = true;
  options.config.limits.kept_runs = 1;
  options.tools.emplace_back("triage", s.fake("pay", tool));
  s.begin(std::move(options));
  s.ask<chat_reply>(s.actors.sessions, logged("r", "s", {"ada", false}), observer_actor());
  s.run();
  s.model->calls_tools({{"pay", "{}"}});
  s.run();
  s.chat(logged("other", "other"));
  s.model->says("done");
  s.run();
  CHECK(log_of(s, "r", {"bob", false})->code() == errc::unknown_run);
  CHECK(log_of(s, "r", {"ada", false})->value);
}
