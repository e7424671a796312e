#include "libagent/run/machine.hpp"

#include "libagent/run/tool_turn.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::run {

namespace {

effects end(state& run) {
  run.at = phase::finished;
  run.tools.reset();
  return {finish{}};
}

effects end_with(state& run, error reason) {
  run.failure = std::move(reason);
  return end(run);
}

/// The beginning of each turn, where the turn limit rules.
effects next_turn(state& run) {
  if (run.turns >= run.bounds.max_turns)
    return end_with(run, fail(errc::max_turns_exceeded,
                              fmt::format("no final answer within {} turns", run.bounds.max_turns)));
  run.at = phase::collecting;
  return {collect_tools{}};
}

effects on(state& run, entered_agent what) {
  if (run.at != phase::created && run.at != phase::handing_off)
    return {};
  run.agent = std::move(what.agent);
  run.next_agent.clear();
  return next_turn(run);
}

effects on(state& run, tools_collected what) {
  if (run.at != phase::collecting)
    return {};
  run.tools = std::move(what.tools);
  run.at = phase::thinking;
  ++run.turns;
  auto request = std::make_shared<model_request>();
  request->agent = run.agent->name;
  request->instructions = run.agent->instructions;
  request->past = run.past;
  request->fresh = run.fresh;
  request->tools = run.tools->offered();
  request->settings = run.agent->settings;
  return {call_model{std::move(request)}};
}

/// Adds what the model said to the run; the calls in it are returned, in order.
std::vector<tool_call> take_output(state& run, item_list output) {
  std::vector<tool_call> calls;
  run.output.clear();
  for (auto& entry : output) {
    if (auto* message = std::get_if<assistant_message>(&entry)) {
      run.output = message->text;
      if (message->text.empty())
        continue;
      message->agent = run.agent->name;
    } else if (auto* call = std::get_if<tool_call>(&entry)) {
      call->agent = run.agent->name;
      calls.push_back(*call);
    } else {
      continue;
    }
    run.fresh.push_back(std::move(entry));
  }
  return calls;
}

/// Once the last output of the turn is in: puts outputs in the model's order, then decides how to go on.
effects close_turn(state& run) {
  for (auto& call : run.open_calls)
    run.fresh.emplace_back(
        tool_output{std::move(call.call_id), std::move(call.result->parts), call.result->is_error});
  run.open_calls.clear();
  if (run.next_agent.empty())
    return next_turn(run);
  run.at = phase::handing_off;
  return {hand_off{run.next_agent}};
}

bool all_answered(const state& run) {
  return std::all_of(run.open_calls.begin(), run.open_calls.end(),
                     [](const open_call& call) { return call.result.has_value(); });
}

effects on(state& run, model_answered what) {
  if (run.at != phase::thinking)
    return {};
  run.used += what.response.used;
  const auto calls = take_output(run, std::move(what.response.output));
  if (calls.empty())
    return end(run);
  auto turn = open_turn(*run.tools, calls);
  run.at = phase::acting;
  run.output.clear();
  run.open_calls = std::move(turn.open_calls);
  run.next_agent = std::move(turn.next_agent);
  if (turn.to_run.empty())
    return close_turn(run);
  return {call_tools{std::move(turn.to_run)}};
}

effects on(state& run, model_failed what) {
  if (run.at != phase::thinking)
    return {};
  return end_with(run, std::move(what.reason));
}

effects on(state& run, tool_answered what) {
  if (run.at != phase::acting || what.index >= run.open_calls.size())
    return {};
  auto& call = run.open_calls[what.index];
  if (call.result)
    return {};
  call.result = bounded(std::move(what.result), run.bounds.max_tool_output_bytes);
  return all_answered(run) ? close_turn(run) : effects{};
}

/// The history stays well-formed: calls without an output get one that says why.
effects on(state& run, stopped what) {
  if (run.at == phase::finished)
    return {};
  for (auto& call : run.open_calls) {
    if (!call.result)
      call.result = tool_result::failure(fmt::format("not finished: {}", what.reason.detail));
    run.fresh.emplace_back(
        tool_output{std::move(call.call_id), std::move(call.result->parts), call.result->is_error});
  }
  run.open_calls.clear();
  run.output.clear();
  return end_with(run, std::move(what.reason));
}

} // namespace

state begin(shared_items past, std::string prompt, limits bounds) {
  state run;
  run.past = std::move(past);
  run.bounds = bounds;
  run.fresh.emplace_back(user_message{std::move(prompt)});
  return run;
}

effects step(state& run, event what) {
  return std::visit([&run](auto& e) { return on(run, std::move(e)); }, what);
}

} // namespace troupe::run
