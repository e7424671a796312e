#include "libagent/run/steps.hpp"

#include <algorithm>

namespace troupe::run {

namespace {

using stage = open_call::stage;

/// An agent's call goes on where its run stands: it may have paused meanwhile.
void recover_agent_call(open_call& call) {
  const bool waits = call.nested && call.nested->at == phase::paused && call.decisions.empty();
  call.at = waits ? stage::waiting : stage::queued;
}

/// What becomes of a call whose run was interrupted.
void recover_call(open_call& call, bool is_team) {
  switch (call.at) {
  case stage::running:
    // What an agent did for it is in that agent's own run.
    if (call.what != toolbox_entry::kind::agent) {
      call.at = stage::waiting;
      call.in_doubt = true;
      return;
    }
    [[fallthrough]];
  case stage::opened:
  case stage::checking_input:
  case stage::queued:
    if (call.nested || is_team)
      return recover_agent_call(call);
    // Nobody has to say yes once more.
    call.at = stage::waiting;
    call.approved = true;
    call.guard_step = 0;
    return;
  case stage::checking_output:
    call.at = stage::opened;
    return;
  case stage::reporting:
    call.at = stage::settled;
    return;
  case stage::waiting:
  case stage::settled:
  case stage::done:
    return;
  }
}

effects recover_calls(state& run) {
  const bool is_team = run.agent->kind != agent_kind::model;
  if (auto fits = check_kind(run); !fits)
    return end_now(run, fits.error());
  for (auto& call : run.open_calls)
    recover_call(call, is_team);
  if (!is_team) {
    run.at = phase::resuming;
    return {collect_tools{}};
  }
  run.at = phase::acting;
  return advance_calls(run);
}

/// The handoff's own rules were applied to the conversation before.
effects hand_off_again(const state& run) {
  hand_off again{run.next_agent, run.handoff_arguments, nullptr};
  const auto& known = run.agent->handoffs;
  const auto rules = std::find_if(known.begin(), known.end(),
                                  [&](const handoff_definition& each) { return each.agent == again.agent; });
  if (rules != known.end())
    again.rules = std::make_shared<const handoff_definition>(*rules);
  return {std::move(again)};
}

} // namespace

effects recover(state& run, std::shared_ptr<const agent_definition> agent) {
  run.agent = std::move(agent);
  run.is_interrupted = false;
  switch (run.at) {
  case phase::created:
  case phase::guarding_input:
    return guard_input(run);
  case phase::thinking:
    // That call never had an answer.
    run.turns -= run.turns > 0 ? 1 : 0;
    run.ask_again = false;
    return next_turn(run);
  case phase::collecting:
  case phase::reserving:
    return next_turn(run);
  case phase::holding:
    // The answer may call them.
    return {collect_tools{}};
  case phase::resuming:
  case phase::reserving_tools:
  case phase::acting:
    return recover_calls(run);
  case phase::handing_off:
    return hand_off_again(run);
  case phase::guarding_output:
    return conclude(run);
  case phase::finished:
    return {finish{}};
  case phase::paused:
    break;
  }
  return {};
}

} // namespace troupe::run
