#include "tests/libagent/run/tally.hpp"

#include "libagent/run/state_json.hpp"
#include "libagent/run/steps.hpp"
#include "tests/libagent/run/game.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>

namespace troupe::run::testing {

namespace {

using stage = open_call::stage;

template <class Effect>
const Effect* first_of(const effects& todo) {
  for (const auto& each : todo)
    if (const auto* found = std::get_if<Effect>(&each))
      return found;
  return nullptr;
}

bool is_call_of_tool(const requested_call& call) {
  // Members of a team are no tools, and a run that goes on was counted when it began.
  return !call.call_id.empty() && !call.nested;
}

std::string below(const std::string& path, const std::string& place) {
  return path.empty() ? place : path + "/" + place;
}

/// The run inside that waits, and the agent and tool: what a lasting approval is for.
std::tuple<std::string, std::string, std::string> subject_of(const interruption& what) {
  const auto slash = what.id.rfind('/');
  return {slash == std::string::npos ? std::string() : what.id.substr(0, slash), what.agent, what.tool};
}

bool is_under_way(const open_call& call) {
  return call.at == stage::running && call.what == toolbox_entry::kind::agent;
}

/// Uses the index and the path of each call whose run is under way inside.
template <class Function>
void for_each_inside(const state& run, const std::string& path, Function use) {
  for (std::size_t i = 0; i < run.open_calls.size(); ++i)
    if (is_under_way(run.open_calls[i]))
      use(i, below(path, place_of(run, i)));
}

} // namespace

usage tally::total() const {
  auto all = used;
  for (const auto& [place, each] : inside)
    all += each.total();
  return all;
}

void tally::add_ended(const std::string& place, const tally& ended) {
  inside.erase(place);
  used += ended.total();
}

bool awaits_answer(const state& run, std::size_t index) {
  return run.at == phase::acting && !run.is_interrupted && index < run.open_calls.size() &&
         run.open_calls[index].at == stage::running;
}

void note_event(tally& own, const state& run, const event& what) {
  if (const auto* answer = std::get_if<model_answered>(&what); answer && run.at == phase::thinking) {
    ++own.answers;
    own.used += answer->response.used;
  } else if (const auto* got = std::get_if<tool_answered>(&what); got && awaits_answer(run, got->index)) {
    own.answered.insert(place_of(run, got->index));
  } else if (std::holds_alternative<entered_agent>(what) && run.at == phase::handing_off) {
    own.is_repaired = false;
  } else if (std::holds_alternative<stop_after_turn>(what) && run.at != phase::finished) {
    own.is_to_stop = true;
  }
}

void note_effects(tally& own, const state& run, const event& what, const effects& todo) {
  if (std::holds_alternative<stopped>(what))
    REQUIRE(run.at == phase::finished);
  // It ends once, and does nothing else then.
  if (run.at == phase::finished && !todo.empty()) {
    REQUIRE(todo.size() == 1);
    REQUIRE(first_of<finish>(todo) != nullptr);
  }
  if (first_of<collect_tools>(todo) != nullptr && run.at == phase::collecting)
    REQUIRE_FALSE(own.is_to_stop);
  // Each turn is counted once, however often it was begun.
  if (first_of<call_model>(todo) != nullptr)
    REQUIRE(run.turns == own.answers + 1);
  if (first_of<repair>(todo) != nullptr)
    REQUIRE_FALSE(std::exchange(own.is_repaired, true));
  if (const auto* begun = first_of<call_tools>(todo))
    own.used.tool_calls +=
        static_cast<std::uint64_t>(std::count_if(begun->calls.begin(), begun->calls.end(), is_call_of_tool));
}

void check_state(const tally& own, const state& run) {
  std::set<std::string> outputs;
  for (const auto& each : run.fresh)
    if (const auto* output = std::get_if<tool_output>(&each))
      REQUIRE(outputs.insert(output->call_id).second);
  if (run.at == phase::finished) {
    REQUIRE(flaw(run.fresh) == "");
    return;
  }
  REQUIRE(spent_by(run).total() == own.total());
  for (std::size_t i = 0; i < run.open_calls.size(); ++i)
    if (run.open_calls[i].in_doubt)
      REQUIRE_FALSE(own.answered.contains(place_of(run, i)));
}

void check_end(const tally& own, const state& run) {
  REQUIRE(run.at == phase::finished);
  REQUIRE(run.used.total() == own.total());
  // The last turn may have had no answer.
  REQUIRE((run.turns == own.answers || (run.failure && run.turns == own.answers + 1)));
  REQUIRE(run.turns <= run.bounds.max_turns);
}

void check_interruptions(const tally& own, const std::vector<interruption>& waits) {
  REQUIRE_FALSE(waits.empty());
  for (const auto& each : waits)
    if (each.what != interruption::kind::in_doubt) {
      REQUIRE_FALSE(own.decided.contains(each.id));
      REQUIRE_FALSE(own.approved_for_good.contains(subject_of(each)));
    }
}

void note_decisions(tally& own, const std::vector<interruption>& waits, const std::vector<decision>& made) {
  for (const auto& each : made) {
    own.decided.insert(each.id);
    if (each.always)
      own.approved_for_good.insert(subject_of(*std::find_if(
          waits.begin(), waits.end(), [&](const interruption& wait) { return wait.id == each.id; })));
  }
}

void keep(kept_runs& kept, const std::string& path, bool is_whole, const kept_run& now) {
  std::set<std::string> waited_for;
  if (!is_whole)
    for_each_inside(now.run, path, [&](std::size_t, const std::string& inner) { waited_for.insert(inner); });
  const auto is_old = [&](const std::string& other) {
    const auto prefix = below(path, "");
    return other != path && other.starts_with(prefix) &&
           !waited_for.contains(other.substr(0, other.find('/', prefix.size())));
  };
  std::erase_if(kept, [&](const auto& each) { return is_old(each.first); });
  kept[path] = now;
}

void check_folded(const kept_runs& kept, const std::string& path, const state& folded) {
  const auto& was = kept.at(path).run;
  auto expected = state_to_json(was);
  auto got = state_to_json(folded);
  INFO("the run '" << path << "'");
  REQUIRE(folded.open_calls.size() == was.open_calls.size());
  // Not by way of JSON, which may leave out a thing on both sides.
  REQUIRE(folded.turns == was.turns);
  REQUIRE(folded.used == was.used);
  REQUIRE(folded.always_approved == was.always_approved);
  REQUIRE(folded.checked_input == was.checked_input);
  REQUIRE(folded.tool_users == was.tool_users);
  REQUIRE(folded.is_repaired == was.is_repaired);
  REQUIRE(folded.stop_before_turn == was.stop_before_turn);
  for (std::size_t i = 0; i < was.open_calls.size(); ++i) {
    REQUIRE(folded.open_calls[i].approved == was.open_calls[i].approved);
    REQUIRE(folded.open_calls[i].in_doubt == was.open_calls[i].in_doubt);
    REQUIRE(folded.open_calls[i].was_started == was.open_calls[i].was_started);
  }
  for_each_inside(was, path, [&](std::size_t index, const std::string& inner) {
    if (!kept.contains(inner))
      return;
    const auto& nested = folded.open_calls[index].nested;
    REQUIRE(nested != nullptr);
    check_folded(kept, inner, *nested);
    for (auto* each : {&expected, &got})
      for (const auto* member : {"run", "decisions"})
        (*each)["calls"][index].erase(member);
  });
  REQUIRE(got == expected);
}

tally recall(const kept_runs& kept, const std::string& path, const state& folded) {
  auto own = kept.at(path).own;
  for_each_inside(folded, path, [&](std::size_t index, const std::string& inner) {
    if (kept.contains(inner))
      own.inside[place_of(folded, index)] = recall(kept, inner, *folded.open_calls[index].nested);
  });
  return own;
}

void check_spent(const usage& spent, const budget& limits) {
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  // Each call of a model is a turn here.
  REQUIRE(spent.requests <= limits.turns.value_or(any));
  REQUIRE(spent.requests <= limits.model_calls.value_or(any));
  REQUIRE(spent.tool_calls <= limits.tool_calls.value_or(any));
  REQUIRE(spent.input_tokens <= limits.input_tokens.value_or(any));
  REQUIRE(spent.output_tokens <= limits.output_tokens.value_or(any));
  REQUIRE(spent.total_tokens() <= limits.total_tokens.value_or(any));
  if (limits.cost)
    REQUIRE(static_cast<double>(spent.input_tokens) * input_price +
                static_cast<double>(spent.output_tokens) * output_price <=
            *limits.cost);
}

} // namespace troupe::run::testing
