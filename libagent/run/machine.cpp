#include "libagent/run/machine.hpp"

#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::run {

std::string_view to_string(guard_stage stage) noexcept {
  constexpr std::string_view names[] = {"input", "output", "tool_input", "tool_output"};
  return names[static_cast<std::size_t>(stage)];
}

error tripped(std::string_view guardrail, guard_stage stage, const std::string& why) {
  auto detail = fmt::format("the guardrail '{}' stopped the run at its {}", guardrail, to_string(stage));
  if (!why.empty())
    detail += ": " + why;
  auto reason = fail(errc::guardrail_tripped, std::move(detail));
  reason.facts = std::make_shared<const json>(json{{"guardrail", guardrail}, {"stage", to_string(stage)}});
  return reason;
}

effects end(state& run) {
  run.at = phase::finished;
  run.tools.reset();
  run.notes.clear();
  run.request.reset();
  run.held.reset();
  run.unchecked_input.clear();
  run.is_interrupted = false;
  return {finish{}};
}

effects end_with(state& run, error reason) {
  run.output.clear();
  run.structured.reset();
  run.failure = std::move(reason);
  return end(run);
}

namespace {

/// What the model reads of a call that has no result. One that a tool has had in its hands may have had
/// effects.
std::string unfinished(const open_call& call, const error& reason) {
  if (call.at == open_call::stage::checking_output)
    return fmt::format("carried out, but its output is withheld: {}", reason.detail);
  const bool was_made = call.in_doubt || call.at == open_call::stage::running;
  if (!was_made || call.what != toolbox_entry::kind::tool)
    return fmt::format("not finished: {}", reason.detail);
  return fmt::format("not finished, and it may or may not have been carried out: {}", reason.detail);
}

} // namespace

effects end_now(state& run, error reason) {
  // Nobody has said that it may stay.
  if (run.at == phase::guarding_output) {
    take_back_answer(run);
    // The call keeps an output.
    if (run.is_tool_output) {
      std::get<tool_output>(run.fresh[run.tool_output_item]).parts = {text_content{"(withheld)"}};
      run.unchanged = std::min(run.unchanged, run.tool_output_item);
    }
  }
  for (auto& call : run.open_calls) {
    // Whoever carries the run out counts what is under way; of an interrupted one nobody does.
    if (call.nested && (call.at != open_call::stage::running || run.is_interrupted))
      run.used += spent_by(*call.nested);
    if (!call.result || call.at == open_call::stage::checking_output)
      settle(call, tool_result::failure(unfinished(call, reason)));
    // Calls of a team's members are no part of the conversation.
    if (!call.call_id.empty())
      run.fresh.emplace_back(tool_output{std::move(call.call_id), call.result->parts, call.result->is_error});
  }
  run.open_calls.clear();
  return end_with(run, std::move(reason));
}

effects next_turn(state& run) {
  if (run.stop_before_turn)
    return end_with(run, std::move(*run.stop_before_turn));
  if (run.turns >= run.bounds.max_turns)
    return end_with(run, fail(errc::max_turns_exceeded,
                              fmt::format("no final answer within {} turns", run.bounds.max_turns)));
  run.at = phase::collecting;
  return {collect_tools{}};
}

std::size_t turn_number(const state& run) {
  // Only a team's calls have no id.
  const bool is_team = !run.open_calls.empty() && run.open_calls.front().call_id.empty();
  return run.turns + (is_team ? 1 + run.team.outputs.size() : 0);
}

std::string place_of(const state& run, std::size_t index) {
  return fmt::format("{}.{}", turn_number(run), index);
}

namespace {

effects on(state& run, entered_agent what) {
  if (run.at == phase::paused) {
    run.agent = std::move(what.agent);
    return {};
  }
  const bool is_first = run.at == phase::created;
  if (!is_first && run.at != phase::handing_off)
    return {};
  run.agent = std::move(what.agent);
  run.is_repaired = false;
  if (is_first)
    return guard_input(run);
  return run.agent->kind == agent_kind::model ? next_turn(run) : enter_team(run);
}

effects ask_model(state& run, std::shared_ptr<model_request> request) {
  run.at = phase::thinking;
  ++run.turns;
  effects todo{call_model{std::move(request)}};
  start_parallel_checks(run, todo);
  return todo;
}

effects on(state& run, tools_collected what) {
  const bool holds_again = run.at == phase::holding && !run.tools;
  if (run.at != phase::collecting && run.at != phase::resuming && !holds_again)
    return {};
  run.tools = std::move(what.tools);
  if (run.tools->has_conditions()) {
    auto enabled = run.tools->enabled_in(scope_of(run));
    if (!enabled)
      return end_now(run, enabled.error());
    run.tools = std::make_shared<const toolbox>(std::move(*enabled));
  }
  if (holds_again)
    return hold_again(run);
  if (run.at == phase::resuming)
    return reopen_calls(run);
  auto request = make_request(run);
  if (!request)
    return end_with(run, request.error());
  if (!run.has_budget)
    return ask_model(run, std::move(*request));
  run.at = phase::reserving;
  run.request = *request;
  return {reserve{run.request, 0}};
}

effects on(state& run, reserved what) {
  if (run.at == phase::reserving_tools) {
    run.at = phase::acting;
    return advance_calls(run);
  }
  if (run.at != phase::reserving)
    return {};
  auto request = run.request;
  run.request.reset();
  if (what.max_output_tokens) {
    const auto most = static_cast<unsigned>(std::min<std::uint64_t>(*what.max_output_tokens, 1u << 30));
    auto& own = request->settings.max_tokens;
    own = std::min(own.value_or(most), most);
    request->settings.token_bound = most;
  }
  run.if_cut = std::move(what.if_cut);
  return ask_model(run, std::move(request));
}

effects on(state& run, refused what) {
  if (run.at == phase::reserving)
    return end_with(run, std::move(what.reason));
  return run.at == phase::reserving_tools ? end_now(run, std::move(what.reason)) : effects{};
}

/// Gives calls that came without an id one that the conversation does not have yet.
void fill_in_ids(const state& run, item_list& output) {
  const auto lacks_id = [](const item& entry) {
    const auto* call = std::get_if<tool_call>(&entry);
    return call != nullptr && call->call_id.empty();
  };
  if (std::none_of(output.begin(), output.end(), lacks_id))
    return;
  std::set<std::string> taken;
  for (const auto* items : {run.past.get(), &std::as_const(run.fresh), &std::as_const(output)})
    if (items != nullptr)
      for (const auto& entry : *items)
        if (const auto* call = std::get_if<tool_call>(&entry))
          taken.insert(call->call_id);
  std::size_t next = 0;
  for (auto& entry : output) {
    if (!lacks_id(entry))
      continue;
    auto& id = std::get<tool_call>(entry).call_id;
    do
      id = fmt::format("call_{}", next++);
    while (!taken.insert(id).second);
  }
}

/// Adds what the model said to the run, an empty text only where it is all there is to be said. The calls in
/// it are returned, in order.
std::vector<tool_call> take_output(state& run, item_list output) {
  std::vector<tool_call> calls;
  run.output.clear();
  const auto is_call = [](const item& entry) { return std::holds_alternative<tool_call>(entry); };
  const bool has_calls = std::any_of(output.begin(), output.end(), is_call);
  for (auto& entry : output) {
    if (auto* said = std::get_if<assistant_message>(&entry)) {
      said->agent = run.agent->name;
      run.output = said->text;
      if (said->text.empty() && has_calls)
        continue;
    } else if (auto* call = std::get_if<tool_call>(&entry)) {
      call->agent = run.agent->name;
      calls.push_back(*call);
    } else if (auto* thought = std::get_if<reasoning>(&entry)) {
      thought->agent = run.agent->name;
    } else {
      continue;
    }
    run.fresh.push_back(std::move(entry));
  }
  return calls;
}

/// What was said up to the cut is what the run has produced; its guardrails have had no say, so that it stays
/// with the run only where there are none.
effects keep_cut_answer(state& run, model_response response, error reason) {
  if (run.unchecked_input.empty() && run.agent->output_guardrails.empty()) {
    std::erase_if(response.output,
                  [](const item& entry) { return !std::holds_alternative<assistant_message>(entry); });
    take_output(run, std::move(response.output));
  }
  return end_with(run, std::move(reason));
}

effects on(state& run, model_answered what) {
  if (run.at != phase::thinking)
    return {};
  run.used.add(run.agent->name, what.response.model, what.response.used);
  if (auto reason = std::exchange(run.if_cut, std::nullopt); reason && is_cut(what.response))
    return keep_cut_answer(run, std::move(what.response), std::move(*reason));
  if (run.unchecked_input.empty())
    return take_answer(run, std::move(what.response));
  run.at = phase::holding;
  run.held = std::move(what.response);
  return {};
}

effects on(state& run, model_failed what) {
  if (run.at != phase::thinking)
    return {};
  auto reason = std::exchange(run.if_cut, std::nullopt);
  return end_with(run, reason && is_cut(what.reason) ? std::move(*reason) : std::move(what.reason));
}

effects on(state& run, tool_answered what) {
  return run.at == phase::acting ? call_answered(run, std::move(what)) : effects{};
}

effects on(state& run, call_reported what) {
  return run.at == phase::acting ? reported(run, what.index) : effects{};
}

effects on(state& run, call_paused what) {
  if (run.at != phase::acting || what.index >= run.open_calls.size())
    return {};
  auto& call = run.open_calls[what.index];
  if (call.at != open_call::stage::running)
    return {};
  call.at = open_call::stage::waiting;
  call.nested = std::move(what.nested);
  call.decisions.clear();
  return advance_calls(run);
}

bool awaits(const state& run, const check_ticket& ticket) {
  if (ticket.turn != turn_number(run))
    return false;
  if (ticket.stage == guard_stage::input) {
    const auto open = run.unchecked_input.find(ticket.index);
    return open != run.unchecked_input.end() && open->second == ticket.step;
  }
  if (ticket.stage == guard_stage::output)
    return run.at == phase::guarding_output && ticket.index == run.output_guard &&
           ticket.step == run.guarded_item;
  if (run.at != phase::acting || ticket.index >= run.open_calls.size())
    return false;
  const auto& call = run.open_calls[ticket.index];
  const auto expected = ticket.stage == guard_stage::tool_input ? open_call::stage::checking_input
                                                                : open_call::stage::checking_output;
  return call.at == expected && call.guard_step == ticket.step;
}

effects on(state& run, checked what) {
  if (!awaits(run, what.ticket))
    return {};
  if (!what.outcome)
    return end_now(run, what.outcome.error());
  auto& verdict = *what.outcome;
  switch (what.ticket.stage) {
  case guard_stage::input:
    return input_checked(run, what.ticket.index, std::move(verdict));
  case guard_stage::output:
    return output_checked(run, std::move(verdict));
  default:
    return tool_checked(run, what.ticket, std::move(verdict));
  }
}

effects on(state& run, recovered what) {
  return run.is_interrupted ? recover(run, std::move(what.agent)) : effects{};
}

effects on(state& run, resumed what) {
  return run.at == phase::paused ? resume(run, std::move(what.decisions)) : effects{};
}

effects on(state& run, stop_after_turn what) {
  if (run.at == phase::paused)
    return end_now(run, std::move(what.reason));
  if (run.at != phase::finished)
    run.stop_before_turn = std::move(what.reason);
  return {};
}

/// The history stays well-formed: calls without an output get one that says why.
effects on(state& run, stopped what) {
  return run.at == phase::finished ? effects{} : end_now(run, std::move(what.reason));
}

} // namespace

effects take_answer(state& run, model_response response) {
  if (run.ask_again) {
    // The answer was to an input that a guardrail has changed since.
    run.ask_again = false;
    return next_turn(run);
  }
  fill_in_ids(run, response.output);
  const auto start = run.fresh.size();
  const auto calls = take_output(run, std::move(response.output));
  if (!calls.empty())
    return open_calls(run, calls, start);
  run.is_tool_output = false;
  run.answer_start = start;
  return conclude(run);
}

state begin(shared_items past, std::string prompt, limits bounds, std::shared_ptr<const json> context) {
  state run;
  run.past = std::move(past);
  run.bounds = bounds;
  run.context = std::move(context);
  run.fresh.emplace_back(user_message{std::move(prompt)});
  return run;
}

effects step(state& run, event what) {
  // What it waited for was another life's.
  if (run.is_interrupted && !std::holds_alternative<recovered>(what) &&
      !std::holds_alternative<stopped>(what))
    return {};
  return std::visit([&run](auto& e) { return on(run, std::move(e)); }, what);
}

} // namespace troupe::run
