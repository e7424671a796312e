#include "libagent/run/outside.hpp"
#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace troupe::run {

namespace {

/// A team's steps are what turns are to other agents.
effects start(state& run, std::vector<open_call> calls) {
  if (run.stop_before_turn)
    return end_with(run, std::move(*run.stop_before_turn));
  run.open_calls = std::move(calls);
  run.at = phase::acting;
  return advance_calls(run);
}

/// Members see what the team sees, but for what the user said last: that is what they are asked.
void take_question(state& run) {
  if (!run.is_filtered && run.fresh.size() == 1 && run.notes.empty()) {
    run.team.input = input_of(run);
    return;
  }
  auto seen = seen_items(run);
  const auto last = std::find_if(seen.rbegin(), seen.rend(), [](const item& entry) {
    return std::holds_alternative<user_message>(entry);
  });
  if (last == seen.rend()) {
    run.team.input = input_of(run);
  } else {
    run.team.input = std::get<user_message>(*last).text;
    seen.erase(std::next(last).base());
  }
  run.team.history = std::make_shared<const item_list>(std::move(seen));
}

effects start_member(state& run) {
  return start(run, {member_call(run.agent->members.members[run.team.next_member], run.team.input)});
}

effects start_all(state& run) {
  std::vector<open_call> calls;
  for (const auto& member : run.agent->members.members)
    calls.push_back(member_call(member, run.team.input));
  return start(run, std::move(calls));
}

effects finish_team(state& run, std::string output) {
  run.output = std::move(output);
  run.answer_start = run.fresh.size();
  if (!run.output.empty())
    run.fresh.emplace_back(assistant_message{run.agent->name, run.output});
  run.is_tool_output = false;
  return conclude(run);
}

std::string under_headings(const state& run) {
  std::string text;
  for (const auto& [member, output] : run.team.outputs)
    text += fmt::format("{}## {}\n\n{}", text.empty() ? "" : "\n\n", member, output);
  return text;
}

json scope_of_team(const state& run) {
  auto scope = scope_of(run);
  auto outputs = json::object();
  for (const auto& [member, output] : run.team.outputs)
    outputs[member] = output;
  scope["outputs"] = std::move(outputs);
  scope["output"] = run.team.outputs.empty() ? std::string() : run.team.outputs.back().second;
  scope["round"] = run.team.round;
  return scope;
}

effects join(state& run) {
  const auto& rules = run.agent->members;
  if (!rules.judge.empty()) {
    run.team.judging = true;
    return start(run, {member_call(rules.judge, fmt::format("{}\n\nThe answers to this so far:\n\n{}",
                                                            run.team.input, under_headings(run)))});
  }
  if (!rules.join)
    return finish_team(run, under_headings(run));
  auto text = call_outside(rules.join, scope_of_team(run));
  if (!text)
    return end_with(run, cannot_go_on(fmt::format("the outputs of '{}' cannot be joined", run.agent->name),
                                      text.error()));
  return finish_team(run, std::move(*text));
}

/// One member after the other; at the end of a round a loop decides whether it has done enough.
effects next_member(state& run) {
  const auto& rules = run.agent->members;
  auto& team = run.team;
  team.input = team.outputs.back().second;
  if (++team.next_member < rules.members.size())
    return start_member(run);
  if (run.agent->kind != agent_kind::loop || team.round >= rules.max_rounds)
    return finish_team(run, team.input);
  if (rules.until) {
    const auto done = call_outside(rules.until, scope_of_team(run));
    if (!done)
      return end_with(
          run, cannot_go_on(fmt::format("whether the loop '{}' is done cannot be told", run.agent->name),
                            done.error()));
    if (*done)
      return finish_team(run, team.input);
  }
  ++team.round;
  team.next_member = 0;
  return start_member(run);
}

} // namespace

effects enter_team(state& run) {
  run.team = {};
  take_question(run);
  if (run.agent->members.members.empty())
    return end_with(
        run, fail(errc::invalid_config, fmt::format("the agent '{}' has no members", run.agent->name)));
  return run.agent->kind == agent_kind::parallel ? start_all(run) : start_member(run);
}

effects team_step_done(state& run) {
  auto calls = std::move(run.open_calls);
  run.open_calls.clear();
  for (const auto& call : calls)
    if (call.fatal)
      return end_with(run, *call.fatal);
  if (run.team.judging) {
    run.team.judging = false;
    return finish_team(run, plain_text(calls.front().result->parts));
  }
  for (const auto& call : calls)
    run.team.outputs.emplace_back(call.name, plain_text(call.result->parts));
  return run.agent->kind == agent_kind::parallel ? join(run) : next_member(run);
}

} // namespace troupe::run
