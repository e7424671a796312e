#include "libagent/run/journal.hpp"
#include "libagent/run/state_json.hpp"
#include "tests/libagent/run/random_agent.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

using namespace troupe;
using namespace troupe::run;
using namespace troupe::run::testing;

namespace {

/// One run in a world that answers in any order, says things twice, decides about pauses and stops at random.
class world {
public:
  /// `crashes`: now and then all is lost but the journal, as often as the limit says at most.
  explicit world(std::uint64_t seed, unsigned max_crashes = 0) : luck_(seed), crashes_left_(max_crashes) {
    is_journaled_ = max_crashes > 0;
    agents_["m"] = random_agent(luck_, "m");
    agents_["ops"] = random_agent(luck_, "ops");
    run_ = begin(nullptr, "hello", {static_cast<unsigned>(1 + luck_.below(6)), 1000, 1 + luck_.below(3)});
    run_.has_budget = luck_.in(40);
  }

  void play() {
    feed(entered_agent{agents_.at("m")});
    for (int i = 0; i < 2'000 && run_.at != phase::finished; ++i) {
      if (luck_.in(1))
        feed(stopped{fail(errc::cancelled, "by the user")});
      else if (luck_.in(1))
        feed(stop_after_turn{fail(errc::cancelled, "after the turn")});
      else if (luck_.in(10))
        repeat();
      else if (may_crash())
        crash();
      else if (run_.at == phase::paused)
        go_on();
      else
        answer_one();
    }
    REQUIRE(run_.at == phase::finished);
    check_end();
  }

  unsigned pauses = 0;
  unsigned crashes = 0;
  unsigned doubts = 0;
  std::string log;
  const state& outcome() const { return run_; }

private:
  // The journal.

  void write_down(state& run, recorder& by, const std::string& path) {
    if (auto record = by.take(run, path); !record.is_null())
      records_.push_back(dump_json(record));
    // Not each time, to save time.
    if (records_.size() % 8 != 1)
      return;
    auto kept = fold(read_records());
    INFO((kept ? std::string() : kept.error().detail));
    REQUIRE(kept.has_value());
    REQUIRE(kept->has_value());
    if (path.empty())
      REQUIRE(dump_json(state_to_json((*kept)->run)) == dump_json(state_to_json(run)));
  }

  std::vector<json> read_records() const {
    std::vector<json> all;
    for (const auto& each : records_)
      all.push_back(parse_json(each, 1024).value());
    return all;
  }

  bool may_crash() { return crashes_left_ > 0 && luck_.in(8); }

  /// What was under way is gone; the run is read back and goes on.
  void crash() {
    --crashes_left_;
    ++crashes;
    log += "CRASH ";
    const bool was_paused = run_.at == phase::paused;
    auto kept = fold(read_records());
    REQUIRE(kept.has_value());
    // A paused run is kept by its session.
    if (was_paused)
      return keep(run_);
    forget_calls_under_way();
    open_.clear();
    checks_.clear();
    given_.clear();
    auto past = run_.past;
    const auto bounds = run_.bounds;
    const auto has_budget = run_.has_budget;
    recorder_ = {};
    if (!*kept) {
      run_ = begin(past, "hello", bounds);
      run_.has_budget = has_budget;
      return feed(entered_agent{agents_.at("m")});
    }
    run_ = std::move((*kept)->run);
    run_.past = std::move(past);
    run_.bounds = bounds;
    run_.has_budget = has_budget;
    feed(recovered{agents_.at(run_.agent->name)});
  }

  /// Calls of agents are made again, or go on.
  void forget_calls_under_way() {
    for (const auto& each : open_)
      if (const auto* call = std::get_if<call_tools>(&each))
        if (call->calls.front().what == toolbox_entry::kind::agent)
          asked_.erase(call->calls.front().call_id);
  }

  struct crashed {};

  // Effects: each is checked, and waits for its answer.

  void feed(event what) {
    given_.push_back(what);
    auto todo = step(run_, what);
    if (is_journaled_ && (is_recorded(what) || is_recorded(todo)))
      write_down(run_, recorder_, {});
    for (auto& effect : todo) {
      REQUIRE_FALSE(is_over_);
      log += describe(effect) + " ";
      std::visit([this](auto& e) { take(e); }, effect);
    }
  }

  template <class Effect>
  void take(Effect& what) {
    open_.emplace_back(std::move(what));
  }

  void take(call_model& what) {
    auto seen = what.request->past ? *what.request->past : item_list{};
    seen.insert(seen.end(), what.request->fresh.begin(), what.request->fresh.end());
    REQUIRE(flaw(seen) == "");
    open_.emplace_back(std::move(what));
  }

  void take(check& what) {
    const auto& t = what.ticket;
    REQUIRE(checks_.emplace(t.stage, t.index, t.step, t.turn).second);
    open_.emplace_back(std::move(what));
  }

  void take(call_tools& what) {
    for (const auto& each : open_)
      if (const auto* asked = std::get_if<check>(&each))
        REQUIRE(asked->ticket.stage != guard_stage::input);
    for (auto& call : what.calls) {
      if (!call.nested && !call.call_id.empty())
        REQUIRE(asked_.insert(call.call_id).second);
      open_.emplace_back(call_tools{{std::move(call)}});
    }
    REQUIRE(running() <= run_.bounds.max_parallel_tools);
  }

  void take(repair&) {}

  void take(troupe::run::pause&) {
    ++pauses;
    REQUIRE(open_.empty());
  }

  void take(finish&) {
    is_over_ = true;
    REQUIRE((run_.failure || open_.empty()));
  }

  std::size_t running() const {
    return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [](const effect& each) {
      return std::holds_alternative<call_tools>(each);
    }));
  }

  bool reports(std::size_t index) const {
    return std::any_of(open_.begin(), open_.end(), [&](const effect& each) {
      const auto* told = std::get_if<report_call>(&each);
      return told != nullptr && told->index == index;
    });
  }

  bool runs(std::size_t index) const {
    return std::any_of(open_.begin(), open_.end(), [&](const effect& each) {
      const auto* call = std::get_if<call_tools>(&each);
      return call != nullptr && call->calls.front().index == index;
    });
  }

  // Answers.

  void answer_one() {
    REQUIRE_FALSE(open_.empty());
    const auto at = open_.begin() + static_cast<std::ptrdiff_t>(luck_.below(open_.size()));
    auto what = std::move(*at);
    open_.erase(at);
    try {
      feed(std::visit([this](auto& e) { return answer(e); }, what));
    } catch (const crashed&) {
      open_.push_back(std::move(what));
      crash();
    }
  }

  event answer(const collect_tools&) { return tools_collected{tools_of(run_.agent)}; }
  event answer(const reserve&) {
    if (luck_.in(5))
      return refused{fail(errc::budget_exceeded, "nothing is left")};
    return reserved{};
  }
  event answer(const hand_off& what) { return entered_agent{agents_.at(what.agent)}; }
  event answer(const repair&) { return stopped{}; }
  event answer(const report_call& what) { return call_reported{what.index}; }
  event answer(troupe::run::pause&) { return stopped{}; }
  event answer(const finish&) { return stopped{}; }

  event answer(const check& what) {
    if (luck_.in(2))
      return checked{what.ticket, fail(errc::model_timeout, "no judge")};
    guardrail::verdict verdict;
    if (luck_.in(30))
      verdict.what =
          luck_.any_of({guardrail::action::rewrite, guardrail::action::rewrite, guardrail::action::reject,
                        guardrail::action::reject, guardrail::action::trip});
    verdict.text = luck_.any_of<const char*>({R"({"n":3})", "masked"});
    verdict.message = "because";
    return checked{what.ticket, verdict};
  }

  event answer(const call_model&) {
    if (luck_.in(2))
      return model_failed{fail(errc::model_failed, "no model")};
    model_response response;
    response.used = {1, 10, 5, 0, 0};
    if (luck_.in(20))
      response.output.emplace_back(reasoning{"", "hm", "f", "{}"});
    if (luck_.in(50))
      response.output.emplace_back(
          assistant_message{"", luck_.any_of<const char*>({"", "hi", R"({"n":1})"})});
    if (luck_.in(70))
      for (std::size_t i = luck_.below(5); i > 0; --i)
        response.output.emplace_back(random_call());
    return model_answered{std::move(response)};
  }

  tool_call random_call() {
    if (!made_.empty() && luck_.in(8))
      return made_[luck_.below(made_.size())];
    tool_call call;
    call.name = luck_.any_of<const char*>(
        {"a", "b", "c", "add", "helper", "nope", "transfer_to_ops", "transfer_to_m"});
    call.arguments = luck_.any_of<const char*>({"{}", R"({"n":1})", R"({"input":"?"})", "{"});
    if (luck_.in(90))
      call.call_id =
          luck_.in(98) || made_.empty() ? fmt::format("id{}", made_.size()) : made_.front().call_id;
    if (!call.call_id.empty())
      made_.push_back(call);
    return call;
  }

  event answer(const call_tools& what) {
    const auto& call = what.calls.front();
    if (call.what == toolbox_entry::kind::agent)
      return answer_as_agent(call);
    return tool_answered{call.index, luck_.in(20) ? tool_result::failure("broken") : tool_result::text("x")};
  }

  /// Runs another machine, which may pause too.
  event answer_as_agent(const requested_call& call) {
    if (luck_.in(5))
      return tool_answered{call.index, tool_result::failure("?"), {}, fail(errc::deadline_exceeded, "late")};
    auto nested = call.nested ? *call.nested : begin(nullptr, "?");
    std::deque<effect> todo;
    recorder inner;
    const auto go = [&](event what) {
      auto next = step(nested, what);
      if (is_journaled_ && (is_recorded(what) || is_recorded(next)))
        write_down(nested, inner, call.place);
      for (auto& each : next)
        todo.push_back(std::move(each));
      if (may_crash())
        throw crashed{};
    };
    if (nested.is_interrupted)
      go(recovered{helper()});
    else
      go(entered_agent{helper()});
    if (nested.at == phase::paused) {
      REQUIRE(check_decisions(nested, call.decisions).has_value());
      go(resumed{call.decisions});
    }
    while (!todo.empty()) {
      const auto next = std::move(todo.front());
      todo.pop_front();
      if (std::holds_alternative<troupe::run::pause>(next))
        return call_paused{call.index, std::make_shared<const state>(std::move(nested))};
      if (std::holds_alternative<finish>(next))
        break;
      if (std::holds_alternative<collect_tools>(next))
        go(tools_collected{tools_of(helper())});
      else if (std::holds_alternative<call_model>(next))
        go(model_answered{
            {luck_.in(50) ? item_list{tool_call{"", "a", "{}", ""}} : item_list{assistant_message{"", "ok"}},
             {1, 1, 1, 0, 0},
             "",
             "m"}});
      else if (const auto* told = std::get_if<report_call>(&next))
        go(call_reported{told->index});
      else
        for (const auto& each : std::get<call_tools>(next).calls)
          go(tool_answered{each.index, tool_result::text("x")});
    }
    return tool_answered{call.index, tool_result::text(nested.output), nested.used};
  }

  // Pauses.

  void go_on() {
    if (luck_.in(50))
      keep(run_);
    const auto waits = interruptions(run_);
    REQUIRE_FALSE(waits.empty());
    std::vector<decision> decisions;
    for (const auto& each : waits) {
      if (each.what == interruption::kind::in_doubt) {
        decisions.push_back(settle(each));
        continue;
      }
      REQUIRE_FALSE(decided_.contains(each.id));
      if (luck_.in(40) && !(decisions.empty() && &each == &waits.back()))
        continue;
      decisions.push_back(luck_.in(60) ? approve(each.id) : reject(each.id));
      decisions.back().always = luck_.in(10) && decisions.back().what == decision::verdict::approve;
      if (decisions.back().what == decision::verdict::approve && luck_.in(20))
        decisions.back().arguments = json{{"n", 5}, {"input", "!"}};
      if (each.what == interruption::kind::handoff)
        decisions.back().arguments.reset();
      decided_.insert(each.id);
    }
    REQUIRE(check_decisions(run_, decisions).has_value());
    feed(entered_agent{agents_.at(run_.agent->name)});
    feed(resumed{std::move(decisions)});
  }

  decision settle(const interruption& doubt) {
    ++doubts;
    decision made{doubt.id, luck_.any_of({decision::verdict::repeat, decision::verdict::result,
                                          decision::verdict::fail})};
    made.output = "by hand";
    if (made.what == decision::verdict::repeat)
      for (std::size_t i = 0; i < run_.open_calls.size(); ++i)
        if (doubt.id == fmt::format("{}.{}", run_.turns, i))
          asked_.erase(run_.open_calls[i].call_id);
    return made;
  }

  // Events that come again, or too late.

  bool is_awaited(const event& what) const {
    const auto is_at = [this](std::initializer_list<phase> all) {
      return std::find(all.begin(), all.end(), run_.at) != all.end();
    };
    if (std::holds_alternative<entered_agent>(what))
      return is_at({phase::created, phase::handing_off, phase::paused});
    if (std::holds_alternative<tools_collected>(what))
      return is_at({phase::collecting, phase::resuming}) || (is_at({phase::holding}) && !run_.tools);
    if (std::holds_alternative<reserved>(what) || std::holds_alternative<refused>(what))
      return is_at({phase::reserving, phase::reserving_tools});
    if (std::holds_alternative<model_answered>(what) || std::holds_alternative<model_failed>(what))
      return is_at({phase::thinking});
    if (const auto* answer = std::get_if<tool_answered>(&what))
      return runs(answer->index);
    if (const auto* answer = std::get_if<call_paused>(&what))
      return runs(answer->index);
    if (const auto* told = std::get_if<call_reported>(&what))
      return reports(told->index);
    // Tickets tell late verdicts from others.
    return std::holds_alternative<resumed>(what) ? is_at({phase::paused})
                                                 : !std::holds_alternative<checked>(what);
  }

  void repeat() {
    const auto& what = given_[luck_.below(given_.size())];
    if (is_awaited(what))
      return;
    const auto before = fingerprint();
    REQUIRE(step(run_, what).empty());
    REQUIRE(fingerprint() == before);
  }

  std::string fingerprint() const {
    auto text = fmt::format("{} {} {} {}", ending(run_), run_.turns, run_.used.total().total_tokens(),
                            story(run_.fresh));
    for (const auto& call : run_.open_calls)
      text += fmt::format(" {}", static_cast<int>(call.at));
    return text;
  }

  void check_end() {
    crashes_left_ = 0;
    CHECK(is_over_);
    CHECK(flaw(run_.fresh) == "");
    CHECK(std::holds_alternative<user_message>(run_.fresh.front()));
    CHECK(run_.turns <= run_.bounds.max_turns);
    if (run_.failure)
      CHECK(run_.output.empty());
    const auto before = fingerprint();
    for (const auto& each : given_)
      REQUIRE(step(run_, each).empty());
    for (auto& each : open_)
      REQUIRE(step(run_, std::visit([this](auto& e) { return answer(e); }, each)).empty());
    CHECK(fingerprint() == before);
  }

  chance luck_;
  bool is_journaled_ = false;
  unsigned crashes_left_ = 0;
  recorder recorder_;
  std::vector<std::string> records_;
  std::map<std::string, agent_ptr> agents_;
  state run_;
  std::vector<effect> open_;
  std::vector<event> given_;
  std::vector<tool_call> made_;
  std::set<std::string> asked_;
  std::set<std::string> decided_;
  std::set<std::tuple<guard_stage, std::size_t, std::size_t, std::size_t>> checks_;
  bool is_over_ = false;
};

} // namespace

TEST_CASE(
    "whatever happens in whatever order, a run ends, asks nothing twice and leaves a well-formed history") {
  unsigned pauses = 0;
  std::map<std::string, unsigned> endings;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    world one(seed);
    INFO("seed " << seed);
    UNSCOPED_INFO(one.log);
    one.play();
    pauses += one.pauses;
    ++endings[one.outcome().failure ? std::string(to_string(one.outcome().failure->code)) : "ok"];
  }
  // The dice are not loaded: all kinds of ends come up.
  CHECK(pauses > 200);
  for (const auto* code :
       {"ok", "cancelled", "max_turns_exceeded", "budget_exceeded", "guardrail_tripped", "invalid_output",
        "tool_failed", "model_failed", "model_timeout", "protocol_violation"})
    CHECK(endings[code] > 10);
}

TEST_CASE(
    "a run that is read back from its journal goes on, and no call is made twice unless somebody says so") {
  unsigned crashes = 0;
  unsigned doubts = 0;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    world one(seed, 5);
    INFO("seed " << seed);
    UNSCOPED_INFO(one.log);
    one.play();
    crashes += one.crashes;
    doubts += one.doubts;
  }
  CHECK(crashes > 1'000);
  CHECK(doubts > 50);
}
