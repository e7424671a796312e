#include "tests/libagent/run/simulation.hpp"

#include "libagent/run/paused_json.hpp"
#include "libagent/run/state_json.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace troupe::run::testing {

namespace {

/// A run's, from its start and from each decision on.
constexpr std::uint64_t deadline_ticks = 3'000;
/// Far more than three runs take.
constexpr unsigned max_steps = 20'000;

const tool_result lost = tool_result::failure("Error: it did not answer in time");

} // namespace

simulation::simulation(std::uint64_t seed) : luck_(seed) {
  agents_["m"] = random_agent(luck_, "m");
  agents_["ops"] = random_agent(luck_, "ops");
  agents_["helper"] = helper();
  crashes_left_ = luck_.in(60) ? static_cast<unsigned>(luck_.below(6)) : 0;
  for (auto prompts = 1 + luck_.below(3); prompts > 0; --prompts)
    plan("", prompt{}, luck_.below(400), true);
}

void simulation::play() {
  while (!to_come_.empty()) {
    REQUIRE(++steps_ < max_steps);
    auto first = to_come_.extract(to_come_.begin());
    now_ = first.key().first;
    happen(std::move(first.mapped()));
    if (is_active_ && crashes_left_ > 0 && luck_.in(7))
      crash();
  }
  REQUIRE_FALSE(is_active_);
  REQUIRE(waiting_ == 0);
}

void simulation::plan(const std::string& path, happening what, ticks delay, bool outlives_crash) {
  constexpr auto any_life = ~0u;
  to_come_.emplace(std::pair{now_ + delay, order_++},
                   planned{outlives_crash ? any_life : life_, path, std::move(what)});
}

void simulation::answer(const std::string& path, happening what) {
  if (luck_.in(1))
    return;
  if (luck_.in(8))
    plan(path, what, 1 + luck_.below(200));
  plan(path, std::move(what), 1 + luck_.below(luck_.in(5) ? 1'500 : 60));
}

void simulation::happen(planned next) {
  if (next.life != life_ && next.life != ~0u)
    return;
  if (std::holds_alternative<prompt>(next.what)) {
    ++waiting_;
    return start_next();
  }
  if (auto* told = std::get_if<paid>(&next.what)) {
    settle(told->reserved, told->used);
    return take_event(next.path, std::move(told->what));
  }
  if (auto* kept = std::get_if<written>(&next.what)) {
    if (!is_active_)
      return;
    records_.push_back(std::move(kept->record));
    const auto at = machines_.find(next.path);
    if (at == machines_.end())
      return;
    auto& held = at->second.held;
    const auto first =
        std::find_if(held.begin(), held.end(), [](const auto& each) { return !each.is_written; });
    if (first == held.end())
      return;
    first->is_written = true;
    return carry_out(next.path, at->second);
  }
  if (const auto* due = std::get_if<deadline>(&next.what)) {
    if (is_active_ && due->epoch == epoch_)
      take_event("", stopped{fail(errc::deadline_exceeded, "too late")});
    return;
  }
  if (std::holds_alternative<decide>(next.what))
    return resume();
  take_event(next.path, std::move(std::get<event>(next.what)));
}

void simulation::take_event(const std::string& path, event what) {
  const auto found = machines_.find(path);
  if (found == machines_.end()) {
    ++late_answers;
    return;
  }
  auto& at = found->second;
  if (at.is_over) {
    ++late_answers;
    const auto before = story(at.run.fresh);
    REQUIRE(step(at.run, what).empty());
    REQUIRE(story(at.run.fresh) == before);
    return;
  }
  const bool counts = run::is_recorded(what);
  auto todo = step(at.run, std::move(what));
  check_state(path);
  write_down(path, at, counts, std::move(todo));
}

/// As a run's actor does it: what has to be written down is acted on once it is.
void simulation::write_down(const std::string& path, machine& at, bool counts, effects todo) {
  const bool is_last = std::any_of(todo.begin(), todo.end(),
                                   [](const effect& each) { return std::holds_alternative<finish>(each); });
  if (is_last && (path.empty() || at.run.failure)) {
    at.held.clear();
    return carry_out_all(path, todo);
  }
  if (!counts && !is_last && !run::is_recorded(todo)) {
    at.held.push_back({std::move(todo), true});
    return carry_out(path, at);
  }
  auto record = at.by.take(at.run, path);
  at.held.push_back({std::move(todo), record.is_null()});
  if (record.is_null())
    return carry_out(path, at);
  // One writer: records are written in the order in which they came.
  plan(path, written{dump_json(record)}, 5);
}

void simulation::carry_out(const std::string& path, machine&) {
  for (;;) {
    const auto found = machines_.find(path);
    if (found == machines_.end() || found->second.held.empty() || !found->second.held.front().is_written)
      return;
    auto todo = std::move(found->second.held.front().todo);
    found->second.held.pop_front();
    carry_out_all(path, todo);
  }
}

void simulation::carry_out_all(const std::string& path, effects& todo) {
  for (auto& each : todo) {
    const auto found = machines_.find(path);
    REQUIRE(found != machines_.end());
    REQUIRE_FALSE(found->second.is_over);
    log += fmt::format("{}:{}{} ", now_, path, describe(each));
    std::visit([&](auto& e) { act(path, e); }, each);
  }
}

// The session.

void simulation::start_next() {
  if (is_active_ || waiting_ == 0)
    return;
  --waiting_;
  is_active_ = true;
  records_.clear();
  paused_.reset();
  machines_.clear();
  called_.clear();
  reported_.clear();
  // An id that an earlier run used is free, and would be told apart by its place only.
  made_.clear();
  may_repeat_.clear();
  waits_for_ledger_.clear();
  spent_ = {};
  ++life_;
  bounds_ = {static_cast<unsigned>(1 + luck_.below(6)), 1000, 1 + luck_.below(3)};
  spending_ = {};
  if (luck_.in(50))
    spending_.model_calls = 1 + luck_.below(8);
  if (luck_.in(50))
    spending_.tool_calls = luck_.below(8);
  if (luck_.in(30))
    spending_.output_tokens = 20 + luck_.below(300);
  ledger_.emplace(std::vector<account>{{"run", spending_}}, price_list{});
  auto& at = machines_[""];
  at.run = begin(std::make_shared<const item_list>(items_), "hello", bounds_);
  fill(at.run);
  set_deadline();
  if (luck_.in(4))
    plan("", event{stopped{fail(errc::cancelled, "by the user")}}, luck_.below(300));
  if (luck_.in(4))
    plan("", event{stop_after_turn{fail(errc::cancelled, "after the turn")}}, luck_.below(300));
  take_event("", entered_agent{agents_.at("m")});
}

void simulation::end_run() {
  auto& run = machines_.at("").run;
  REQUIRE(is_active_);
  REQUIRE(flaw(run.fresh) == "");
  REQUIRE(run.turns <= bounds_.max_turns);
  ++endings[run.failure ? std::string(to_string(run.failure->code)) : "ok"];
  items_.insert(items_.end(), run.fresh.begin(), run.fresh.end());
  machines_.at("").is_over = true;
  drop_below("");
  is_active_ = false;
  ++epoch_;
  // The next begins once the session has stored this one.
  for (auto prompts = waiting_; prompts > 0; --prompts)
    plan("", prompt{}, 10, true);
  waiting_ = 0;
}

void simulation::set_deadline() {
  plan("", deadline{++epoch_}, deadline_ticks);
}

void simulation::fill(state& run) const {
  run.bounds = bounds_;
  run.has_budget = spending_.is_bounded();
}

// Crashes.

/// All is lost but the journal and the session.
void simulation::crash() {
  --crashes_left_;
  ++crashes;
  ++life_;
  log += fmt::format("{}:CRASH ", now_);
  machines_.clear();
  waits_for_ledger_.clear();
  set_deadline();
  recover_run();
}

void simulation::recover_run() {
  std::vector<json> records;
  for (const auto& each : records_)
    records.push_back(parse_json(each, 1024).value());
  auto kept = fold(records);
  INFO((kept ? std::string() : kept.error().detail));
  REQUIRE(kept.has_value());
  if (!*kept && paused_)
    return plan("", decide{}, 20);
  auto& at = machines_[""];
  take_up(at, *kept ? std::move((*kept)->run) : begin(nullptr, "hello", bounds_));
  if (*kept)
    take_event("", recovered{agents_.at(at.run.agent->name)});
  else
    take_event("", entered_agent{agents_.at("m")});
}

void simulation::take_up(machine& at, state run) {
  at.run = std::move(run);
  at.run.past = std::make_shared<const item_list>(items_);
  fill(at.run);
  // What was spent on answers that nobody has written down is forgotten.
  const auto before = spent_by(at.run);
  spent_ = before.total();
  ledger_.emplace(std::vector<account>{{"run", spending_, before}}, price_list{});
}

// Pauses.

void simulation::resume() {
  if (!is_active_ || !paused_)
    return;
  auto& at = machines_[""];
  take_up(at, paused_from_json(*paused_).value());
  if (luck_.in(4))
    return take_event("", stopped{fail(errc::cancelled, "while it was paused")});
  auto decisions = decide_all();
  REQUIRE(check_decisions(at.run, decisions).has_value());
  const auto agent = at.run.agent->name;
  set_deadline();
  take_event("", entered_agent{agents_.at(agent)});
  take_event("", resumed{std::move(decisions)});
}

std::vector<decision> simulation::decide_all() {
  const auto waits = interruptions(machines_.at("").run);
  REQUIRE_FALSE(waits.empty());
  std::vector<decision> all;
  for (const auto& each : waits) {
    decision made{each.id};
    if (each.what == interruption::kind::in_doubt) {
      ++doubts;
      made.what =
          luck_.any_of({decision::verdict::repeat, decision::verdict::result, decision::verdict::fail});
      made.output = "by hand";
      if (made.what == decision::verdict::repeat)
        may_repeat_.insert(each.id);
    } else {
      if (luck_.in(30) && !(all.empty() && &each == &waits.back()))
        continue;
      made.what = luck_.in(60) ? decision::verdict::approve : decision::verdict::reject;
      made.always = made.what == decision::verdict::approve && luck_.in(10);
    }
    all.push_back(std::move(made));
  }
  return all;
}

void simulation::act(const std::string& path, troupe::run::pause&) {
  auto& at = machines_.at(path);
  if (!path.empty())
    return end_nested(path, call_paused{at.index, std::make_shared<const state>(at.run)});
  ++pauses;
  ++epoch_;
  REQUIRE(machines_.size() == 1);
  // The session keeps it, in place of its records; its actors end.
  paused_ = paused_to_json(at.run);
  records_.clear();
  machines_.clear();
  ++life_;
  plan("", decide{}, 1 + luck_.below(300));
}

// Effects.

void simulation::act(const std::string& path, collect_tools&) {
  plan(path, event{tools_collected{tools_of(agent_named(machines_.at(path).run.agent->name))}},
       1 + luck_.below(20));
}

void simulation::act(const std::string& path, reserve& what) {
  if (!what.request) {
    auto made = ledger_->reserve_tools(what.tool_calls);
    if (made)
      spent_.tool_calls += what.tool_calls;
    else
      ++refusals;
    check_spent();
    return plan(path, made ? event{reserved{}} : event{refused{made.error()}}, 1);
  }
  if (!ask_ledger(path, *what.request))
    waits_for_ledger_.emplace_back(path, what.request);
}

bool simulation::ask_ledger(const std::string& path, const model_request& request) {
  auto made = ledger_->reserve_model({"m", estimate_input(request), {}});
  if (!made)
    return false;
  if (!*made) {
    ++refusals;
    plan(path, event{refused{made->error()}}, 1);
    return true;
  }
  auto& at = machines_.at(path);
  at.reserved = (*made)->id;
  at.max_output_tokens = (*made)->max_output_tokens;
  plan(path, event{reserved{(*made)->max_output_tokens, (*made)->if_cut}}, 1);
  return true;
}

void simulation::settle(std::uint64_t reserved, const usage& used) {
  if (reserved == 0)
    return;
  ledger_->settle(reserved, "m", used);
  auto waiting = std::exchange(waits_for_ledger_, {});
  for (auto& [path, request] : waiting)
    if (machines_.contains(path) && !ask_ledger(path, *request))
      waits_for_ledger_.emplace_back(path, request);
}

void simulation::act(const std::string& path, call_model& what) {
  auto seen = what.request->past ? *what.request->past : item_list{};
  seen.insert(seen.end(), what.request->fresh.begin(), what.request->fresh.end());
  REQUIRE(flaw(seen) == "");
  auto& at = machines_.at(path);
  spent_.requests += 1;
  const auto reserved = std::exchange(at.reserved, 0);
  if (luck_.in(3))
    return answer(path, paid{reserved, {}, model_failed{fail(errc::model_failed, "no model")}});
  model_response response;
  const auto most = at.max_output_tokens.value_or(60);
  response.used = {1, 10, 1 + luck_.below(std::max<std::uint64_t>(std::min<std::uint64_t>(most, 60), 1)), 0,
                   0};
  response.model = "m";
  spent_.output_tokens += response.used.output_tokens;
  check_spent();
  if (luck_.in(50))
    response.output.emplace_back(assistant_message{"", luck_.any_of<const char*>({"", "hi", R"({"n":1})"})});
  if (luck_.in(path.empty() ? 70 : 40))
    for (auto calls = luck_.below(4); calls > 0; --calls)
      response.output.emplace_back(random_call());
  response.finish_reason = luck_.in(10) ? "length" : "stop";
  const auto used = response.used;
  answer(path, paid{reserved, used, model_answered{std::move(response)}});
}

void simulation::act(const std::string& path, call_tools& what) {
  for (const auto& call : what.calls) {
    if (call.what == toolbox_entry::kind::agent) {
      start_nested(path, call);
      continue;
    }
    const auto place = path.empty() ? call.place : path + "/" + call.place;
    REQUIRE((called_.insert(place).second || may_repeat_.erase(place) == 1));
    auto got = luck_.in(20) ? tool_result::failure("broken") : tool_result::text("x");
    if (luck_.in(10)) {
      // It took too long, and answers all the same.
      plan(path, event{tool_answered{call.index, lost}}, 100);
      plan(path, event{tool_answered{call.index, got}}, 100 + luck_.below(100));
    } else {
      answer(path, event{tool_answered{call.index, got}});
    }
  }
}

void simulation::start_nested(const std::string& outer, const requested_call& call) {
  const auto path = outer.empty() ? call.place : outer + "/" + call.place;
  REQUIRE_FALSE(machines_.contains(path));
  auto& at = machines_[path];
  at.index = call.index;
  at.run = call.nested ? *call.nested : begin(nullptr, "?", bounds_);
  fill(at.run);
  if (at.run.is_interrupted)
    return take_event(path, recovered{helper()});
  const bool was_paused = at.run.at == phase::paused;
  take_event(path, entered_agent{helper()});
  if (!was_paused)
    return;
  REQUIRE(check_decisions(at.run, call.decisions).has_value());
  take_event(path, resumed{call.decisions});
}

void simulation::end_nested(const std::string& path, event outcome) {
  const auto slash = path.rfind('/');
  const auto outer = slash == std::string::npos ? std::string() : path.substr(0, slash);
  drop_below(path + "/");
  machines_.erase(path);
  plan(outer, std::move(outcome), 1);
}

/// Runs end with the one that has started them.
void simulation::drop_below(const std::string& path) {
  std::erase_if(machines_, [&](const auto& each) {
    return !each.first.empty() && each.first != path && each.first.starts_with(path);
  });
}

void simulation::act(const std::string& path, report_call& what) {
  // Once in each life: a call has one result.
  REQUIRE(reported_.insert(fmt::format("{} {} {}", life_, path, what.call_id)).second);
  plan(path, event{call_reported{what.index}}, luck_.below(10));
}

void simulation::act(const std::string&, repair&) {}

void simulation::act(const std::string& path, check& what) {
  if (luck_.in(2))
    return answer(path, event{checked{what.ticket, fail(errc::model_timeout, "no judge")}});
  guardrail::verdict verdict;
  if (luck_.in(20))
    verdict.what =
        luck_.any_of({guardrail::action::rewrite, guardrail::action::reject, guardrail::action::trip});
  verdict.text = R"({"n":3})";
  verdict.message = "because";
  answer(path, event{checked{what.ticket, verdict}});
}

void simulation::act(const std::string& path, hand_off& what) {
  plan(path, event{entered_agent{agent_named(what.agent)}}, luck_.below(20));
}

void simulation::act(const std::string& path, finish&) {
  auto& at = machines_.at(path);
  if (path.empty())
    return end_run();
  tool_answered answered{at.index, tool_result::text(at.run.output), at.run.used};
  if (at.run.failure) {
    answered.result = tool_result::failure(at.run.failure->detail);
    const auto code = at.run.failure->code;
    if (code == errc::cancelled || code == errc::deadline_exceeded || code == errc::budget_exceeded)
      answered.fatal = at.run.failure;
  }
  end_nested(path, std::move(answered));
}

tool_call simulation::random_call() {
  if (!made_.empty() && luck_.in(8))
    return made_[luck_.below(made_.size())];
  tool_call call;
  call.name =
      luck_.any_of<const char*>({"a", "b", "c", "add", "helper", "helper", "nope", "transfer_to_ops"});
  call.arguments = luck_.any_of<const char*>({"{}", R"({"n":1})", R"({"input":"?"})", "{"});
  if (luck_.in(90))
    call.call_id = fmt::format("id{}", ++last_id_);
  made_.push_back(call);
  return call;
}

agent_ptr simulation::agent_named(const std::string& name) const {
  return agents_.at(name);
}

// Invariants.

void simulation::check_state(const std::string& path) {
  const auto& run = machines_.at(path).run;
  std::set<std::string> outputs;
  for (const auto& each : run.fresh)
    if (const auto* output = std::get_if<tool_output>(&each))
      REQUIRE(outputs.insert(output->call_id).second);
  if (run.at == phase::finished)
    REQUIRE(flaw(run.fresh) == "");
}

void simulation::check_spent() {
  REQUIRE(spent_.requests <= spending_.model_calls.value_or(~std::uint64_t{0}));
  REQUIRE(spent_.tool_calls <= spending_.tool_calls.value_or(~std::uint64_t{0}));
  REQUIRE(spent_.output_tokens <= spending_.output_tokens.value_or(~std::uint64_t{0}));
}

} // namespace troupe::run::testing
