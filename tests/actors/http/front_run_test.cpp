#include "tests/actors/http/front_fixture.hpp"

#include "libagent/core/json.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <string>

using namespace troupe;
using namespace troupe::testing;

namespace {

json body_of(const raw_answer& answer) {
  return json::parse(answer.body);
}

json detail_of(const raw_answer& answer) {
  return body_of(answer).at("detail");
}

const std::string runs = "/api/v1/runs/";

struct front_that_gives_up : front_fixture {
  front_that_gives_up() : front_fixture(quick_options(), {}, std::chrono::milliseconds(20)) {}
};

} // namespace

TEST_CASE_METHOD(front_fixture, "a run is shown as it stands") {
  raw_client client(port());
  const auto running = client.ask(get(runs + "run_known"));
  CHECK(running.status == 200);
  CHECK(body_of(running).at("status") == "running");
  CHECK(body_of(running).at("items").size() == 1);
  const auto completed = body_of(client.ask(get(runs + "run_over")));
  CHECK(completed.at("status") == "completed");
  CHECK(completed.at("result") == "done");
  const auto paused = body_of(client.ask(get(runs + "run_paused")));
  CHECK(paused.at("status") == "paused");
  CHECK(paused.at("interruptions").at(0).at("id") == "c1");
}

TEST_CASE_METHOD(front_fixture, "a run that nobody knows is not found, whatever is wanted of it") {
  raw_client client(port());
  for (const auto& request : {get(runs + "run_none"), post(runs + "run_none/cancel", ""),
                              post(runs + "run_none/resume", R"({"decisions":[]})")}) {
    const auto answer = client.ask(request);
    CHECK(answer.status == 404);
    CHECK(detail_of(answer).at("code") == "unknown_run");
    CHECK(detail_of(answer).at("run_id") == "run_none");
  }
}

TEST_CASE_METHOD(front_fixture, "a run is cancelled, at once or after its turn") {
  raw_client client(port());
  const auto body = GENERATE(as<std::string>(), "", R"({"mode":"after_turn"})");
  const auto answer = client.ask(post(runs + "run_known/cancel", body));
  CHECK(answer.status == 202);
  CHECK(body_of(answer).at("run_id") == "run_known");
  CHECK(wait_for_cancelled() == (body.empty() ? "run_known" : "run_known after its turn"));
}

TEST_CASE_METHOD(front_fixture, "a run that is over is neither cancelled nor gone on with") {
  raw_client client(port());
  for (const char* request : {"run_over/cancel", "run_over/resume"}) {
    const auto answer = client.ask(post(runs + request, R"({"decisions":[]})"));
    CHECK(answer.status == 409);
    CHECK(detail_of(answer).at("code") == "conflict");
  }
}

TEST_CASE_METHOD(front_fixture, "a run that pauses is accepted, with what it waits for") {
  raw_client client(port());
  const auto answer = client.ask(post_chat(R"({"prompt":"pause","session_id":"s1"})"));
  CHECK(answer.status == 202);
  const auto body = body_of(answer);
  CHECK(body.at("status") == "paused");
  CHECK(body.at("session_id") == "s1");
  CHECK(body.at("interruptions") ==
        json::parse(R"([{"id":"c1","kind":"tool","agent":"triage","tool":"send","arguments":{"to":"x"}}])"));
}

TEST_CASE_METHOD(front_fixture, "a paused run goes on with the decisions") {
  raw_client client(port());
  const auto answer = client.ask(post(runs + "run_paused/resume", R"({"decisions":[
      {"id":"c1","decision":"approve"},{"id":"c2","decision":"reject","message":"!"}]})"));
  CHECK(answer.status == 200);
  CHECK(body_of(answer).at("result") == "+c1-c2!");
  CHECK(body_of(answer).at("run_id") == "run_paused");
}

TEST_CASE_METHOD(front_fixture, "a paused run may go on as a stream") {
  raw_client client(port());
  client.send(
      post(runs + "run_paused/resume", R"({"decisions":[{"id":"c1","decision":"approve"}],"stream":true})"));
  CHECK(client.receive_head().headers.at("content-type") == "text/event-stream");
  const auto started = client.receive_event().value();
  CHECK(started.name == "run_started");
  CHECK(json::parse(started.data) == json::parse(R"({"run_id":"run_paused","session_id":"known"})"));
  raw_event last;
  while (const auto event = client.receive_event())
    last = *event;
  CHECK(last.name == "run_completed");
  CHECK(json::parse(last.data).at("result") == "+c1");
}

TEST_CASE_METHOD(front_fixture, "what does not fit a resume or a cancel is refused, and named") {
  raw_client client(port());
  const auto wrong = client.ask(
      post(runs + "run_paused/resume", R"({"decisions":[{"id":"c1","decision":"approve"},{"id":"c2"}]})"));
  CHECK(wrong.status == 422);
  CHECK(detail_of(wrong).at("error").get<std::string>().find("decisions[1]") != std::string::npos);
  CHECK(client.ask(post(runs + "run_known/cancel", R"({"mode":"gently"})")).status == 422);
  CHECK(client.ask(get(runs + "run_known/cancel")).status == 405);
}

TEST_CASE_METHOD(front_fixture, "the facts of a failure are told beside its code") {
  raw_client client(port());
  const auto code = std::to_string(static_cast<int>(errc::budget_exceeded));
  const auto answer = client.ask(post_chat(R"({"prompt":"fail )" + code + R"("})"));
  CHECK(answer.status == 422);
  CHECK(detail_of(answer).at("code") == "budget_exceeded");
  CHECK(detail_of(answer).at("kind") == "turns");
}

TEST_CASE_METHOD(front_that_gives_up, "a run that is given up is cancelled, whether it is streamed or not") {
  const auto stream = GENERATE("false", "true");
  const auto body = fmt::format(R"({{"prompt":"hold","stream":{}}})", stream);
  const auto late = raw_client(port()).ask(post_chat(body));
  CHECK(late.status == 504);
  const auto run_id = json::parse(late.body).at("detail").at("run_id").get<std::string>();
  CHECK(wait_for_cancelled() == run_id);
}

TEST_CASE_METHOD(front_fixture, "a run that was cancelled invites nobody to try again") {
  const auto refusal = raw_client(port()).ask(
      post_chat(fmt::format(R"({{"prompt":"fail {}"}})", static_cast<int>(errc::cancelled))));
  CHECK(refusal.status == 409);
  CHECK(json::parse(refusal.body).at("detail").at("code") == "cancelled");
  CHECK(refusal.headers.count("retry-after") == 0);
}
