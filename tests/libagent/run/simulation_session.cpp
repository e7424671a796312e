#include "libagent/run/paused_json.hpp"
#include "libagent/run/state_json.hpp"
#include "tests/libagent/run/simulation.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace troupe::run::testing {

namespace {

/// A run's, from its start and from each decision on.
constexpr std::uint64_t deadline_ticks = 3'000;

const price_list prices{{"m", {input_price * 1e6, {}, output_price * 1e6}}};

} // namespace

void simulation::start_next() {
  if (is_active_ || waiting_ == 0)
    return;
  --waiting_;
  is_active_ = true;
  records_.clear();
  kept_.clear();
  takeovers_ = 0;
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
  spending_ = random_budget();
  ledger_.emplace(std::vector<account>{{"run", spending_}}, prices);
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

budget simulation::random_budget() {
  budget made;
  if (luck_.in(30))
    made.turns = 1 + luck_.below(8);
  if (luck_.in(30))
    made.model_calls = 1 + luck_.below(8);
  if (luck_.in(50))
    made.tool_calls = luck_.below(8);
  if (luck_.in(15))
    made.input_tokens = 400 + luck_.below(3'000);
  if (luck_.in(30))
    made.output_tokens = 20 + luck_.below(300);
  if (luck_.in(15))
    made.total_tokens = 400 + luck_.below(3'000);
  if (luck_.in(15))
    made.cost = static_cast<double>(100 + luck_.below(1'000));
  return made;
}

void simulation::end_run() {
  auto& run = machines_.at("").run;
  REQUIRE(is_active_);
  ++endings[run.failure ? std::string(to_string(run.failure->code)) : "ok"];
  items_.insert(items_.end(), run.fresh.begin(), run.fresh.end());
  machines_.at("").is_over = true;
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
  auto folded = fold(records);
  INFO((folded ? std::string() : folded.error().detail));
  REQUIRE(folded.has_value());
  REQUIRE(folded->has_value() == !records_.empty());
  REQUIRE((!*folded || (*folded)->crashes == takeovers_ + 1));
  records_.push_back(dump_json(takeover_record()));
  ++takeovers_;
  if (kept_.empty() && paused_)
    return plan("", decide{}, 20);
  auto& at = machines_[""];
  if (kept_.empty()) {
    take_up(at, begin(nullptr, "hello", bounds_), {});
    return take_event("", entered_agent{agents_.at("m")});
  }
  auto& run = (*folded)->run;
  check_folded(kept_, "", run);
  auto own = recall(kept_, "", run);
  take_up(at, std::move(run), std::move(own));
  check_state(at.own, at.run);
  if (luck_.in(4))
    return take_event("", stopped{fail(errc::cancelled, "while nobody carried it")});
  take_event("", recovered{agents_.at(at.run.agent->name)});
}

void simulation::take_up(machine& at, state run, tally own) {
  at.run = std::move(run);
  at.own = std::move(own);
  at.run.past = std::make_shared<const item_list>(items_);
  fill(at.run);
  // What was spent on answers that nobody has written down is forgotten.
  spent_ = at.own.total();
  ledger_.emplace(std::vector<account>{{"run", spending_, spent_by(at.run)}}, prices);
}

// Pauses.

void simulation::resume() {
  if (!is_active_ || !paused_)
    return;
  auto& at = machines_[""];
  auto run = paused_from_json(paused_->first).value();
  REQUIRE(paused_to_json(run) == paused_->first);
  take_up(at, std::move(run), paused_->second);
  if (luck_.in(4))
    return take_event("", stopped{fail(errc::cancelled, "while it was paused")});
  const auto waits = interruptions(at.run);
  check_interruptions(at.own, waits);
  auto decisions = decide_all(waits);
  note_decisions(at.own, waits, decisions);
  REQUIRE(check_decisions(at.run, decisions).has_value());
  const auto agent = at.run.agent->name;
  set_deadline();
  take_event("", entered_agent{agents_.at(agent)});
  take_event("", resumed{std::move(decisions)});
}

std::vector<decision> simulation::decide_all(const std::vector<interruption>& waits) {
  std::vector<decision> all;
  for (const auto& each : waits) {
    decision made{each.id};
    if (each.what == interruption::kind::in_doubt) {
      ++doubts;
      REQUIRE(called_.contains(each.id));
      made.what =
          luck_.any_of({decision::verdict::repeat, decision::verdict::result, decision::verdict::fail});
      made.output = "by hand";
      if (made.what == decision::verdict::repeat)
        may_repeat_.insert(each.id);
    } else {
      if (luck_.in(30) && !(all.empty() && &each == &waits.back()))
        continue;
      made.what = luck_.in(60) ? decision::verdict::approve : decision::verdict::reject;
      made.always = made.what == decision::verdict::approve && luck_.in(40);
    }
    all.push_back(std::move(made));
  }
  return all;
}

void simulation::act(const std::string& path, troupe::run::pause&) {
  const auto& at = machines_.at(path);
  if (!path.empty())
    return end_nested(path, call_paused{at.index, std::make_shared<const state>(at.run)});
  ++pauses;
  ++epoch_;
  REQUIRE(machines_.size() == 1);
  // The session keeps it, in place of its records; its actors end.
  paused_ = {paused_to_json(at.run), at.own};
  records_.clear();
  kept_.clear();
  takeovers_ = 0;
  machines_.clear();
  ++life_;
  plan("", decide{}, 1 + luck_.below(300));
}

} // namespace troupe::run::testing
