#pragma once

#include "libagent/run/machine.hpp"

/// The parts of `step`, by what they are about. Each takes the run as it is and returns what to do next.
namespace troupe::run {

// machine.cpp: turns.

effects end(state& run);
effects end_with(state& run, error reason);
/// A stop: calls that are open get an output that says so.
effects end_now(state& run, error reason);
/// The beginning of each turn, where the turn limit rules.
effects next_turn(state& run);
/// Names the turn under way, or a team's step: model calls begun, and in a team one more than the outputs it
/// has. No two of a run have the same.
std::size_t turn_number(const state& run);
/// Names a call of the turn under way among all of the run: TURN.INDEX.
std::string place_of(const state& run, std::size_t index);
/// Deals with the model's answer, once the input is known to be good.
effects take_answer(state& run, model_response response);

// input.cpp: what the user said, and input guardrails.

/// What the user said last, in this run or before.
std::string said_last(const state& run);
/// The same as agents are told it.
std::string input_of(const state& run);
/// Begins with the input guardrails that the model has to wait for.
effects guard_input(state& run);
effects input_checked(state& run, std::size_t index, guardrail::verdict verdict);
/// After a crash: goes on waiting, with the model's answer, for the guardrails that have not answered.
effects hold_again(state& run);
/// Checks to start beside the first model call.
void start_parallel_checks(state& run, effects& into);

// request.cpp: what the model is asked.

result<std::shared_ptr<model_request>> make_request(const state& run);
/// The conversation as the agent sees it.
item_list seen_items(const state& run);
/// Takes out outputs without their call, calls without their output, and thoughts that nothing follows of
/// what they led to: endpoints refuse them.
item_list well_formed(item_list items);
/// Has the next agent see the conversation as the handoff wants it.
result<void> filter_input(state& run, const handoff_definition& rules);

// opening.cpp: the calls of one turn, as the model made them.

/// Opens the calls of a model's answer and starts what can start.
/// The answer's items begin at `start` in `fresh`.
effects open_calls(state& run, const std::vector<tool_call>& calls, std::size_t start);
/// The call of this turn that hands off, or null: the first that nobody rejected.
const open_call* chosen_handoff(const state& run);

// calls.cpp: what becomes of them.

/// Its result is known.
void settle(open_call& call, tool_result result);
/// Starts what can start; goes on with the run when nothing is left to wait for.
effects advance_calls(state& run);
effects call_answered(state& run, tool_answered what);
effects reported(state& run, std::size_t index);
effects tool_checked(state& run, const check_ticket& ticket, guardrail::verdict verdict);
/// A call ready to be queued, for an agent of a team.
open_call member_call(const std::string& agent, const std::string& input);

// output.cpp: final outputs.

/// Makes `run.output` final if it may be. Its message, if any, begins at `answer_start`.
effects conclude(state& run);
/// Takes an answer that did not pass out of the conversation, with what the model thought about it.
item_list take_back_answer(state& run);
effects output_checked(state& run, guardrail::verdict verdict);

// team.cpp: agents that are made of agents.

effects enter_team(state& run);
/// All calls of a team's step are done.
effects team_step_done(state& run);

// resume.cpp

effects resume(state& run, std::vector<decision> decisions);
/// Whether the agent is still of the kind that its open calls are of; `invalid_config`.
result<void> check_kind(const state& run);
/// The paused run knows its tools again.
effects reopen_calls(state& run);

// recover.cpp

/// Goes on from where the run was when it was written down.
effects recover(state& run, std::shared_ptr<const agent_definition> agent);

/// The error of a guardrail that stopped the run.
error tripped(std::string_view guardrail, guard_stage stage, const std::string& why);

} // namespace troupe::run
