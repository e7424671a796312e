#include "actors/defaults.hpp"
#include "tests/actors/support/servers.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::prompt;
using troupe::test::servers;
using troupe::test::stage;
using namespace std::chrono_literals;

TEST_CASE("a run that the server did not live to end goes on with the next one") {
  servers s;
  s.now->chat(prompt("one", "r"));
  REQUIRE(s.now->model->calls.size() == 1);
  s.restart();
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"one"}});
  s.says("1");
  CHECK(s.show("r")->status == run_status::completed);
  CHECK(s.show("r")->result == "1");
  const auto session = s.now->load("s");
  REQUIRE(session->value);
  CHECK((*session->value)->items == item_list{user_message{"one"}, assistant_message{"triage", "1"}});
}

TEST_CASE("steps that are complete are not repeated") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  REQUIRE(s.tool->open.size() == 1);
  s.tool->answer(0, tool_result::text("paid"));
  s.now->run();
  REQUIRE(s.now->model->calls.size() == 1);
  s.restart();
  CHECK(s.tool->open.empty());
  REQUIRE(s.now->model->calls.size() == 1);
  const auto& seen = s.now->model->calls.front().request->fresh;
  REQUIRE(seen.size() == 3);
  CHECK(std::get<tool_output>(seen.back()).parts == std::vector<content>{text_content{"paid"}});
  s.says("done");
  const auto run = s.show("r");
  CHECK(run->result == "done");
  CHECK(run->used.total().requests == 1);
  CHECK(run->used.total().tool_calls == 1);
}

TEST_CASE("a call that was under way is in doubt, and waits for a word") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"pay", R"({"sum":5})"}});
  s.now->run();
  REQUIRE(s.tool->open.size() == 1);
  s.restart();
  CHECK(s.tool->open.empty());
  CHECK(s.now->model->calls.empty());
  const auto run = s.show("r");
  REQUIRE(run->status == run_status::paused);
  REQUIRE(run->interruptions.size() == 1);
  CHECK(run->interruptions[0].what == interruption::kind::in_doubt);
  CHECK(run->interruptions[0].tool == "pay");
  CHECK(*run->interruptions[0].arguments == json{{"sum", 5}});

  resume_request decided;
  decided.run_id = "r";
  decided.decisions = {{run->interruptions[0].id, decision::verdict::repeat}};
  const auto expected = GENERATE(std::string("repeat"), std::string("result"), std::string("fail"));
  auto& verdict = decided.decisions[0];
  if (expected == "result") {
    verdict.what = decision::verdict::result;
    verdict.output = "paid by hand";
  } else if (expected == "fail") {
    verdict.what = decision::verdict::fail;
  }
  const auto answer = s.now->ask<chat_reply>(s.now->actors.sessions, decided, observer_actor());
  s.now->run();
  if (expected == "repeat") {
    REQUIRE(s.tool->open.size() == 1);
    s.tool->answer(0, tool_result::text("paid"));
    s.now->run();
  } else {
    CHECK(s.tool->open.empty());
  }
  REQUIRE(s.now->model->calls.size() == 1);
  const auto& seen = std::get<tool_output>(s.now->model->calls.front().request->fresh.back());
  CHECK(seen.is_error == (expected == "fail"));
  s.says("done");
  REQUIRE(answer->value);
  CHECK(answer->value->result == "done");
}

TEST_CASE("a cancelled run's conversation says which of its calls may have been carried out") {
  servers s;
  s.leave_in_doubt(prompt("one", "r"));
  const auto cancelled = s.now->ask<run_record_ptr>(s.now->actors.sessions, cancel_atom::value,
                                                    std::string("r"), cancel_mode::at_once, caller{});
  s.now->run();
  REQUIRE(cancelled->value);
  const auto session = s.now->load("s");
  REQUIRE(session->value);
  const auto& output = std::get<tool_output>((*session->value)->items.back());
  CHECK(output.is_error);
  CHECK(std::get<text_content>(output.parts.at(0)).text.find("may or may not have been carried out") !=
        std::string::npos);
}

TEST_CASE("a call in doubt that is declared safe is made again at once") {
  servers s;
  const auto safe = [](runtime_options& options) {
    options.config.agents[0].tool_policies["pay"].repeatable = true;
  };
  s.kill();
  s.start(safe);
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  REQUIRE(s.tool->open.size() == 1);
  s.kill();
  s.start(safe);
  CHECK(s.tool->open.size() == 1);
}

TEST_CASE("a call in doubt ends the run where that is the policy") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  s.kill();
  s.start([](runtime_options& options) { options.config.journal.fails_in_doubt = true; });
  const auto run = s.show("r");
  CHECK(run->status == run_status::failed);
  REQUIRE(run->failure);
  CHECK(run->failure->code == errc::in_doubt);
}

TEST_CASE("prompts that waited are carried out after the run that was under way") {
  servers s;
  s.now->chat(prompt("one", "r1"));
  s.now->chat(prompt("two", "r2"));
  s.now->chat(prompt("three", "r3"));
  s.restart();
  for (const auto* text : {"one", "two", "three"}) {
    REQUIRE(s.now->model->calls.size() == 1);
    CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{text}});
    s.says(std::string("to ") + text);
  }
  CHECK(s.show("r3")->result == "to three");
}

TEST_CASE("a new prompt waits for the run that is taken up") {
  servers s;
  s.now->chat(prompt("one", "r1"));
  s.restart();
  s.now->chat(prompt("two", "r2"));
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("1");
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->past->size() == 2);
}

TEST_CASE("of several sessions only the one that is asked for is gone on with") {
  servers s;
  s.now->chat(prompt("one", "r1", "s"));
  s.now->chat(prompt("two", "r2", "t"));
  s.kill();
  s.start([](runtime_options& options) { options.runs_to_take_up.session_id = "t"; });
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"two"}});
  s.says("2");
  s.restart();
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->fresh == item_list{user_message{"one"}});
}

TEST_CASE("whoever joins a run that goes on is answered as its prompt would be") {
  servers s;
  s.now->chat(prompt("one", "r"));
  // What is over is known to the journal alone, or to the register too.
  const auto kept = GENERATE(0u, 1000u);
  s.kill();
  s.start([kept](runtime_options& options) { options.config.limits.kept_runs = kept; });
  resume_request joining;
  joining.run_id = "r";
  joining.only_joins = true;
  const auto join = [&] {
    const auto answer = s.now->ask<chat_reply>(s.now->actors.sessions, joining, observer_actor());
    s.now->run();
    return answer;
  };
  const auto early = join();
  CHECK_FALSE(early->came());
  const auto expected = GENERATE(run_status::completed, run_status::paused, run_status::cancelled);
  if (expected == run_status::completed) {
    s.now->model->says("1");
  } else if (expected == run_status::cancelled) {
    s.cancel("r");
  } else {
    s.now->model->calls_tools({{"pay", "{}"}});
    s.now->run();
    s.restart();
  }
  s.now->run();
  const auto late = join();
  if (expected == run_status::cancelled) {
    CHECK(early->code() == errc::cancelled);
    CHECK(late->code() == errc::cancelled);
  } else {
    REQUIRE(late->value);
    CHECK(late->value->status == expected);
    CHECK(late->value->run_id == "r");
    CHECK(late->value->interruptions.size() == (expected == run_status::paused ? 1 : 0));
  }
  if (expected == run_status::completed) {
    REQUIRE(early->value);
    CHECK(early->value->result == "1");
  }
  joining.run_id = "none";
  CHECK(join()->code() == errc::unknown_run);
  joining.run_id = "r";
  joining.by = {"bob", false};
  CHECK(join()->code() == errc::unknown_run);
}

TEST_CASE("a run that was handed off goes on at the agent that had it") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"transfer_to_ops", "{}"}});
  s.now->run();
  REQUIRE(s.now->model->calls.size() == 1);
  s.restart();
  REQUIRE(s.now->model->calls.size() == 1);
  CHECK(s.now->model->calls.front().request->agent == "ops");
  s.says("ops here");
  CHECK(s.show("r")->agent == "ops");
}

TEST_CASE("a run that was cancelled is not taken up") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.now->model->calls_tools({{"pay", "{}"}});
  s.now->run();
  caf::anon_send(s.now->actors.sessions, cancel_atom::value, std::string("r"), cancel_mode::after_turn);
  s.now->run();
  s.restart();
  CHECK(s.show("r")->status == run_status::cancelled);
  CHECK(s.now->model->calls.empty());
}

TEST_CASE("a run that brings the server down each time is given up") {
  servers s;
  s.now->chat(prompt("one", "r"));
  for (unsigned i = 0; i < 3; ++i) {
    s.restart();
    REQUIRE(s.now->model->calls.size() == 1);
  }
  s.restart();
  CHECK(s.now->model->calls.empty());
  CHECK(s.show("r")->status == run_status::failed);
}

TEST_CASE("a run that is over is still known to the next server") {
  servers s;
  s.now->chat(prompt("one", "r"));
  s.says("1");
  s.restart();
  const auto run = s.show("r");
  CHECK(run->status == run_status::completed);
  CHECK(run->result == "1");
  CHECK(run->items == item_list{user_message{"one"}, assistant_message{"triage", "1"}});
}

TEST_CASE("a shutdown leaves runs to the next server") {
  servers s;
  const auto answer = s.now->chat(prompt("one", "r"));
  const auto stopped =
      s.now->ask<acknowledgement>(s.now->actors.sessions, stop_atom::value, caf::timespan(0));
  s.now->run();
  s.now->advance(1ms);
  CHECK(answer->code() == errc::shutting_down);
  CHECK(stopped->value);
  s.restart();
  CHECK(s.now->model->calls.size() == 1);
}

TEST_CASE("the same key is answered by the same run, while it runs, afterwards, and by the next server") {
  servers s;
  auto request = prompt("one", "key-run");
  request.key_hash = "h";
  const auto first = s.now->chat(request);
  const auto second = s.now->chat(request);
  auto other = request;
  other.key_hash = "another";
  CHECK(s.now->chat(other)->code() == errc::invalid_argument);
  REQUIRE(s.now->model->calls.size() == 1);
  s.says("1");
  REQUIRE(first->value);
  REQUIRE(second->value);
  CHECK(second->value->result == "1");
  CHECK(s.now->chat(request)->value->result == "1");
  s.restart();
  const auto late = s.now->chat(request);
  REQUIRE(late->value);
  CHECK(late->value->result == "1");
  CHECK(late->value->run_id == "key-run");
  CHECK(s.now->chat(other)->code() == errc::invalid_argument);
  CHECK(s.now->model->calls.empty());
}

TEST_CASE("a run in the background is answered once it cannot get lost") {
  servers s;
  auto request = prompt("one", "r");
  request.background = true;
  const auto answer = s.now->chat(request);
  REQUIRE(answer->value);
  CHECK(answer->value->status == run_status::running);
  CHECK(answer->value->run_id == "r");
  s.restart();
  s.says("1");
  CHECK(s.show("r")->result == "1");
}

TEST_CASE("what others have made is not there for those who ask") {
  servers s;
  auto request = prompt("one", "r");
  request.by = {"ada", false};
  s.now->chat(request);
  s.says("1");
  const auto ask = [&](auto what, const std::string& id, const caller& by) {
    const auto answer = s.now->ask<run_record_ptr>(s.now->actors.sessions, what, id, by);
    s.now->run();
    return answer->code();
  };
  const caller bob{"bob", false};
  for (const bool is_new_server : {false, true}) {
    if (is_new_server) {
      s.restart();
    }
    CHECK(ask(run_atom::value, "r", bob) == errc::unknown_run);
    CHECK(ask(run_atom::value, "r", {"ada", false}) == std::nullopt);
    CHECK(ask(run_atom::value, "r", {"root", true}) == std::nullopt);
    const auto session =
        s.now->ask<session_record_ptr>(s.now->actors.sessions, info_atom::value, std::string("s"), bob);
    s.now->run();
    CHECK(session->code() == errc::unknown_session);
    const auto erased =
        s.now->ask<acknowledgement>(s.now->actors.sessions, erase_atom::value, std::string("s"), bob);
    s.now->run();
    CHECK(erased->code() == errc::unknown_session);
    auto intruding = prompt("two", is_new_server ? "x1" : "x2");
    intruding.by = bob;
    CHECK(s.now->chat(intruding)->code() == errc::unknown_session);
  }
}
