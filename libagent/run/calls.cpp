#include "libagent/run/arguments.hpp"
#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::run {

using stage = open_call::stage;

void settle(open_call& call, tool_result result) {
  call.at = stage::settled;
  call.result = std::make_shared<const tool_result>(std::move(result));
}

namespace {

bool is_open(const open_call& call) {
  return call.at != stage::waiting && call.at != stage::done;
}

// Guardrails of one call: the agent's, then the tool's own.

const std::string* guardrail_at(const state& run, const open_call& call, guard_stage at, std::size_t step) {
  const auto& general =
      at == guard_stage::tool_input ? run.agent->tool_input_guardrails : run.agent->tool_output_guardrails;
  if (step < general.size())
    return &general[step].name;
  if (!call.policy)
    return nullptr;
  const auto& own =
      at == guard_stage::tool_input ? call.policy->input_guardrails : call.policy->output_guardrails;
  return step - general.size() < own.size() ? &own[step - general.size()] : nullptr;
}

/// Asks the call's next guardrail; false if it has no further one.
bool ask_guardrail(const state& run, std::size_t index, guard_stage at, effects& into) {
  const auto& call = run.open_calls[index];
  const auto* name = guardrail_at(run, call, at, call.guard_step);
  if (name == nullptr)
    return false;
  auto text = at == guard_stage::tool_input ? dump_json(*call.arguments) : plain_text(call.result->parts);
  into.emplace_back(
      check{{at, index, call.guard_step, turn_number(run)}, *name, std::move(text), call.offered_name});
  return true;
}

/// Asks the call's next guardrail, on its way to the tool or back.
void guard_call(state& run, std::size_t index, effects& into) {
  auto& call = run.open_calls[index];
  if (call.result)
    call.at =
        ask_guardrail(run, index, guard_stage::tool_output, into) ? stage::checking_output : stage::settled;
  else
    call.at =
        ask_guardrail(run, index, guard_stage::tool_input, into) ? stage::checking_input : stage::queued;
}

requested_call request_for(const state& run, std::size_t index) {
  const auto& call = run.open_calls[index];
  requested_call wanted;
  wanted.index = index;
  wanted.place = place_of(run, index);
  wanted.call_id = call.call_id;
  wanted.offered_name = call.offered_name;
  wanted.what = call.what;
  wanted.source = call.source;
  wanted.name = call.name;
  wanted.arguments = call.arguments;
  if (call.policy)
    wanted.timeout = call.policy->timeout;
  wanted.is_member = run.agent->kind != agent_kind::model;
  if (wanted.is_member)
    wanted.history = run.team.history ? run.team.history : run.past;
  wanted.nested = call.nested;
  wanted.decisions = call.decisions;
  return wanted;
}

/// Starts what waits for its turn, as far as the cap allows.
void start_queued(state& run, effects& into) {
  auto running =
      static_cast<std::size_t>(std::count_if(run.open_calls.begin(), run.open_calls.end(),
                                             [](const open_call& c) { return c.at == stage::running; }));
  std::vector<requested_call> ready;
  const auto most = std::max<std::size_t>(run.bounds.max_parallel_tools, 1);
  for (std::size_t i = 0; i < run.open_calls.size() && running < most; ++i) {
    auto& call = run.open_calls[i];
    if (call.at != stage::queued)
      continue;
    call.at = stage::running;
    // A nested run that goes on was counted when it began.
    if (!call.nested && !call.call_id.empty())
      run.used.add_tool_call(run.agent->name);
    call.was_started = true;
    call.approved = false;
    ready.push_back(request_for(run, i));
    ++running;
  }
  if (!ready.empty())
    into.emplace_back(call_tools{std::move(ready)});
}

/// Tells of what is settled.
void report_settled(state& run, effects& into) {
  for (std::size_t i = 0; i < run.open_calls.size(); ++i) {
    auto& call = run.open_calls[i];
    if (call.at != stage::settled)
      continue;
    // Calls of a team's members are nobody's, and a handoff is told when it happens.
    const bool is_silent =
        call.call_id.empty() || (call.what == toolbox_entry::kind::handoff && !call.result->is_error);
    call.at = is_silent ? stage::done : stage::reporting;
    if (!is_silent)
      into.emplace_back(report_call{i, call.call_id, call.offered_name, call.arguments,
                                    plain_text(call.result->parts), call.result->is_error, call.was_started});
  }
}

// Failures that end the run.

bool fails_run(const open_call& call) {
  return call.policy && call.policy->fails_run;
}

error tool_failure(const open_call& call) {
  return fail(errc::tool_failed,
              fmt::format("the tool '{}' failed: {}", call.offered_name, plain_text(call.result->parts)));
}

/// What a guardrail has kept from the model is not told by the run's failure either.
void retell_failure(open_call& call) {
  if (call.fatal && call.fatal->code == errc::tool_failed && fails_run(call))
    call.fatal = tool_failure(call);
}

// Closing a turn.

/// The call whose output ends the run by the agent's `tool_use_behavior`, or null.
const open_call* final_call(const state& run) {
  const auto& rule = run.agent->tool_use_behavior;
  for (const auto& call : run.open_calls) {
    // A call without arguments never reached a tool: there is none of that name, or they did not fit.
    if (call.what == toolbox_entry::kind::handoff || !call.arguments)
      continue;
    if (rule.what == stop_rule::kind::stop_on_first_tool ||
        (rule.what == stop_rule::kind::stop_at_tools &&
         std::find(rule.tools.begin(), rule.tools.end(), call.offered_name) != rule.tools.end()))
      return &call;
  }
  return nullptr;
}

std::optional<error> first_fatal(const state& run) {
  for (const auto& call : run.open_calls)
    if (call.fatal)
      return call.fatal;
  return std::nullopt;
}

/// All calls are done: their outputs join the conversation, and the run goes on.
effects close_turn(state& run) {
  auto fatal = first_fatal(run);
  std::optional<hand_off> next;
  if (const auto* call = chosen_handoff(run))
    next = hand_off{call->name, call->arguments, call->rules};
  std::optional<std::string> final_text;
  if (const auto* call = final_call(run)) {
    final_text = plain_text(call->result->parts);
    run.tool_output_item = run.fresh.size() + static_cast<std::size_t>(call - run.open_calls.data());
  }
  for (auto& call : run.open_calls)
    run.fresh.emplace_back(tool_output{std::move(call.call_id), call.result->parts, call.result->is_error});
  run.open_calls.clear();
  if (fatal)
    return end_with(run, std::move(*fatal));
  if (next) {
    if (run.stop_before_turn)
      return end_with(run, std::move(*run.stop_before_turn));
    run.at = phase::handing_off;
    run.next_agent = next->agent;
    run.handoff_arguments = next->arguments;
    run.notes.clear();
    if (next->rules)
      if (auto filtered = filter_input(run, *next->rules); !filtered)
        return end_with(run, filtered.error());
    return {std::move(*next)};
  }
  if (!final_text)
    return next_turn(run);
  run.output = std::move(*final_text);
  run.is_tool_output = true;
  return conclude(run);
}

} // namespace

effects advance_calls(state& run) {
  effects todo;
  for (std::size_t i = 0; i < run.open_calls.size(); ++i)
    if (run.open_calls[i].at == stage::opened)
      guard_call(run, i, todo);
  start_queued(run, todo);
  report_settled(run, todo);
  if (!todo.empty() || std::any_of(run.open_calls.begin(), run.open_calls.end(), is_open))
    return todo;
  const auto waits = std::any_of(run.open_calls.begin(), run.open_calls.end(),
                                 [](const open_call& call) { return call.at == stage::waiting; });
  if (!waits)
    return run.agent->kind == agent_kind::model ? close_turn(run) : team_step_done(run);
  // What has failed for good needs nobody's word, nor does what is not to go on.
  if (auto fatal = first_fatal(run))
    return end_now(run, std::move(*fatal));
  if (run.stop_before_turn)
    return end_now(run, std::move(*run.stop_before_turn));
  run.at = phase::paused;
  return {pause{}};
}

effects call_answered(state& run, tool_answered what) {
  if (what.index >= run.open_calls.size())
    return {};
  auto& call = run.open_calls[what.index];
  if (call.at != stage::running)
    return {};
  run.used += what.used;
  call.nested.reset();
  call.decisions.clear();
  call.fatal = std::move(what.fatal);
  call.result =
      std::make_shared<const tool_result>(bounded(std::move(what.result), run.bounds.max_tool_output_bytes));
  if (!call.fatal && call.result->is_error && fails_run(call))
    call.fatal = tool_failure(call);
  // A team fails with its member; the others are of no use then.
  if (call.fatal && run.agent->kind != agent_kind::model)
    return end_now(run, std::move(*call.fatal));
  call.guard_step = 0;
  call.at = stage::opened;
  return advance_calls(run);
}

effects reported(state& run, std::size_t index) {
  if (index >= run.open_calls.size() || run.open_calls[index].at != stage::reporting)
    return {};
  run.open_calls[index].at = stage::done;
  return advance_calls(run);
}

effects tool_checked(state& run, const check_ticket& ticket, guardrail::verdict verdict) {
  auto& call = run.open_calls[ticket.index];
  const bool is_input = ticket.stage == guard_stage::tool_input;
  switch (verdict.what) {
  case guardrail::action::trip:
    return end_now(
        run, tripped(*guardrail_at(run, call, ticket.stage, ticket.step), ticket.stage, verdict.message));
  case guardrail::action::reject:
    settle(call, tool_result::failure(std::move(verdict.message)));
    retell_failure(call);
    return advance_calls(run);
  case guardrail::action::rewrite:
    if (!is_input) {
      call.result = std::make_shared<const tool_result>(
          tool_result{{text_content{std::move(verdict.text)}}, call.result->is_error});
      retell_failure(call);
      break;
    }
    if (auto arguments = parse_json(verdict.text);
        arguments && arguments->is_object() && call.schema.validate(*arguments)) {
      call.arguments = std::make_shared<const json>(std::move(*arguments));
    } else {
      settle(call, tool_result::failure("Error: a guardrail left arguments that do not fit the tool."));
      return advance_calls(run);
    }
    break;
  case guardrail::action::pass:
    break;
  }
  ++call.guard_step;
  effects todo;
  if (ask_guardrail(run, ticket.index, ticket.stage, todo))
    return todo;
  call.at = is_input ? stage::queued : stage::settled;
  return advance_calls(run);
}

open_call member_call(const std::string& agent, const std::string& input) {
  open_call call;
  call.offered_name = agent;
  call.what = toolbox_entry::kind::agent;
  call.name = agent;
  call.arguments = std::make_shared<const json>(json{{"input", input}});
  return call;
}

} // namespace troupe::run
