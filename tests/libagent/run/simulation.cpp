#include "tests/libagent/run/simulation.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace troupe::run::testing {

namespace {

/// Far more than three runs take.
constexpr unsigned max_steps = 20'000;

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
    keep(kept_, next.path, kept->is_whole, *kept->now);
    const auto at = machines_.find(next.path);
    if (at == machines_.end())
      return;
    auto& held = at->second.held;
    const auto first =
        std::find_if(held.begin(), held.end(), [](const auto& each) { return !each.is_written; });
    if (first == held.end())
      return;
    first->is_written = true;
    return carry_out(next.path);
  }
  if (const auto* due = std::get_if<deadline>(&next.what)) {
    if (is_active_ && due->epoch == epoch_)
      take_event("", stopped{fail(errc::deadline_exceeded, "too late")});
    return;
  }
  if (std::holds_alternative<decide>(next.what))
    return resume();
  if (auto* ended = std::get_if<ended_inside>(&next.what))
    return take_ended(next.path, std::move(*ended));
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
  note_event(at.own, at.run, what);
  auto todo = step(at.run, what);
  note_effects(at.own, at.run, what, todo);
  check_state(at.own, at.run);
  write_down(path, at, counts, std::move(todo));
}

/// The run that started it hears of it, and has from then on what it has spent.
void simulation::take_ended(const std::string& path, ended_inside ended) {
  const auto outer = machines_.find(path);
  // None if that one is over: then it has been counted already.
  if (const auto inner = machines_.extract(ended.path); inner && outer != machines_.end()) {
    const auto& own = inner.mapped().own;
    REQUIRE(awaits_answer(outer->second.run, inner.mapped().index));
    const auto place = ended.path.substr(path.empty() ? 0 : path.size() + 1);
    if (std::holds_alternative<call_paused>(ended.what))
      outer->second.own.inside[place] = own;
    else
      outer->second.own.add_ended(place, own);
  }
  take_event(path, std::move(ended.what));
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
    return carry_out(path);
  }
  auto record = at.by.take(at.run, path);
  at.held.push_back({std::move(todo), record.is_null()});
  if (record.is_null())
    return carry_out(path);
  // One writer: records are written in the order in which they came.
  const bool is_whole = record.contains("run");
  plan(path, written{dump_json(record), is_whole, std::make_shared<const kept_run>(kept_run{at.run, at.own})},
       5);
}

void simulation::carry_out(const std::string& path) {
  for (;;) {
    const auto found = machines_.find(path);
    if (found == machines_.end() || found->second.is_over || found->second.held.empty() ||
        !found->second.held.front().is_written)
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

} // namespace troupe::run::testing
