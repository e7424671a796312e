#include "actors/metrics/exposition.hpp"
#include "actors/metrics/memory_watch.hpp"
#include "tests/actors/support/stage.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using troupe::test::stage;
using namespace std::chrono_literals;

namespace {

chat_request prompt(std::string text, std::string session = "s") {
  chat_request request;
  request.prompt = std::move(text);
  request.session_id = std::move(session);
  return request;
}

/// A stage that counts.
struct counted_stage : stage {
  void begin(runtime_options options) {
    options.counted = counted;
    stage::begin(std::move(options));
  }
  /// The value of that line; -1 if there is none.
  double value(const std::string& name) {
    std::istringstream text(exposition(*counted, nullptr, {}));
    for (std::string line; std::getline(text, line);)
      if (line.starts_with(name + " "))
        return std::stod(line.substr(name.size() + 1));
    return -1;
  }
  double refusals(const std::string& bound, const std::string& reason) {
    return value("troupe_refusals_total{bound=\"" + bound + "\",name=\"\",reason=\"" + reason + "\"}");
  }
  std::shared_ptr<metrics> counted = metrics::make();
};

/// A session with a run under way, and one prompt that waits: as many as may.
struct full_queue : counted_stage {
  full_queue() {
    auto options = two_agents();
    options.config.sessions.max_queue = 1;
    begin(std::move(options));
    first = chat(prompt("one"));
    chat(prompt("two"));
  }
  std::shared_ptr<test::answer<chat_reply>> first;
};

} // namespace

TEST_CASE("runs are counted by how they end, and models and tokens by what they answer") {
  counted_stage s;
  const auto tool = std::make_shared<test::fake_tool>();
  auto options = stage::two_agents();
  options.tools.emplace_back("triage", s.fake("look", tool));
  s.begin(std::move(options));
  s.chat(prompt("one"));
  s.advance(2000ms);
  s.model->calls_tools({{"look", "{}"}});
  s.run();
  s.advance(50ms);
  tool->answer(0, tool_result::failure("no"));
  s.run();
  s.model->says("done");
  s.run();
  s.chat(prompt("two"));
  s.model->fails(fail(errc::model_failed, "answered 500"));
  s.run();
  CHECK(s.value(R"(troupe_runs_total{ending="ok"})") == 1);
  CHECK(s.value(R"(troupe_runs_total{ending="model_failed"})") == 1);
  CHECK(s.value("troupe_run_duration_seconds_count") == 2);
  CHECK(s.value("troupe_run_duration_seconds_sum") == Approx(2.05));
  CHECK(s.value(R"(troupe_model_calls_total{ending="ok",model="default"})") == 2);
  CHECK(s.value(R"(troupe_model_calls_total{ending="model_failed",model="default"})") == 1);
  CHECK(s.value(R"(troupe_model_call_duration_seconds_sum{model="default"})") == Approx(2));
  CHECK(s.value(R"(troupe_model_tokens_total{kind="input",model="default"})") == 2);
  CHECK(s.value(R"(troupe_model_tokens_total{kind="output",model="default"})") == 3);
  CHECK(s.value(R"(troupe_tool_calls_total{ending="error",server="",source="code"})") == 1);
  CHECK(s.value(R"(troupe_tool_call_duration_seconds_sum{server="",source="code"})") == Approx(0.05));
  CHECK(s.value("troupe_store_batch_size_count") > 0);
}

TEST_CASE("a prompt that is too long is refused, and its session goes on") {
  counted_stage s;
  auto options = stage::two_agents();
  options.config.limits.max_prompt_bytes = 5;
  s.begin(std::move(options));
  CHECK(s.chat(prompt("123456"))->code() == errc::too_large);
  CHECK(s.refusals("prompt", "too_large") == 1);
  s.chat(prompt("12345"));
  CHECK(s.model->calls.size() == 1);
}

TEST_CASE("past the bound of runs further ones are refused at once, and counted; those under way end well") {
  counted_stage s;
  auto options = stage::two_agents();
  options.config.limits.max_runs = 1;
  s.begin(std::move(options));
  const auto first = s.chat(prompt("one", "a"));
  CHECK(s.chat(prompt("two", "b"))->code() == errc::overloaded);
  CHECK(s.refusals("runs", "overloaded") == 1);
  CHECK(s.value(R"(troupe_bound_limit{bound="runs",name=""})") == 1);
  s.model->says("1");
  s.run();
  CHECK(first->value);
  CHECK(s.value("troupe_run_duration_seconds_count") == 1);
}

TEST_CASE("past the bound of a session's queue further prompts are refused, and count as no runs") {
  full_queue s;
  CHECK(s.chat(prompt("three"))->code() == errc::overloaded);
  CHECK(s.refusals("session_queue", "overloaded") == 1);
  const auto told =
      s.ask<actor_status>(caf::actor_cast<observed_actor>(s.actors.sessions), status_atom::value);
  s.run();
  REQUIRE(told->value);
  CHECK(told->value->in_flight.value_or(99) == 1);
  CHECK(told->value->waiting.value_or(99) == 1);
  CHECK(s.value("troupe_run_duration_seconds_count") == 0);
}

TEST_CASE("a session whose queue is full can be erased") {
  full_queue s;
  const auto erased = s.ask<acknowledgement>(s.actors.sessions, erase_atom::value, std::string("s"));
  for (auto run = 0; run < 2; ++run) {
    s.model->says("so be it");
    s.run();
  }
  CHECK(erased->value);
}

TEST_CASE("a run of a session whose queue is full can be interrupted") {
  full_queue s;
  auto instead = prompt("three");
  instead.busy = busy_policy::reject;
  CHECK(s.chat(instead)->code() == errc::conflict);
  instead.busy = busy_policy::interrupt;
  const auto third = s.chat(instead);
  CHECK(s.first->code() == errc::cancelled);
  // The model was asked for the first one too.
  for (auto call = 0; call < 3; ++call) {
    s.model->says("so be it");
    s.run();
  }
  CHECK(third->value);
}

TEST_CASE("a process that is short of memory begins no runs, and ends those under way") {
  counted_stage s;
  auto options = stage::two_agents();
  options.config.limits.memory = 1;
  s.begin(std::move(options));
  const auto refused = s.chat(prompt("one"));
  CHECK(refused->code() == errc::memory_short);
  CHECK(s.refusals("memory", "memory_short") == 1);
  CHECK(s.value(R"(troupe_bound_limit{bound="memory",name=""})") == 1);
}

TEST_CASE("a run begins with the newest items of its session, which keeps them all") {
  counted_stage s;
  auto options = stage::two_agents();
  options.config.limits.max_history_items = 4;
  s.begin(std::move(options));
  for (const auto* text : {"1", "2", "3"}) {
    s.chat(prompt(text));
    s.model->says("so be it");
    s.run();
  }
  CHECK(s.value("troupe_histories_cut_total") == 0);
  s.chat(prompt("4"));
  REQUIRE(s.model->calls.size() == 1);
  CHECK(*s.model->calls.front().request->past ==
        item_list{user_message{"2"}, assistant_message{"triage", "so be it"}, user_message{"3"},
                  assistant_message{"triage", "so be it"}});
  CHECK(s.value("troupe_histories_cut_total") == 1);
  s.model->says("so be it");
  s.run();
  CHECK((*s.load("s")->value)->items.size() == 8);
}
