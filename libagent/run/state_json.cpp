#include "libagent/run/state_json.hpp"

#include "libagent/core/error_json.hpp"
#include "libagent/run/state_names.hpp"

namespace troupe::run {

namespace {

using stage = open_call::stage;

json team_to_json(const team_progress& team) {
  auto outputs = json::array();
  for (const auto& [member, output] : team.outputs)
    outputs.push_back({{"agent", member}, {"output", output}});
  json made = {{"input", team.input},
               {"next_member", team.next_member},
               {"round", team.round},
               {"judging", team.judging},
               {"outputs", outputs}};
  return made;
}

json notes_to_json(const std::vector<note>& notes) {
  auto array = json::array();
  for (const auto& each : notes)
    array.push_back({{"before", each.before}, {"item", to_json(each.what)}});
  return array;
}

json response_to_json(const model_response& answer) {
  usage_report used;
  used.add({}, {}, answer.used);
  return {{"output", to_json(answer.output)},
          {"usage", shares_to_json(used)},
          {"finish_reason", answer.finish_reason},
          {"model", answer.model}};
}

json decisions_to_json(const std::vector<decision>& decisions) {
  auto array = json::array();
  for (const auto& each : decisions)
    array.push_back(to_json(each));
  return array;
}

/// What a run that is not paused has beside.
void add_progress(const state& run, json& made) {
  made["at"] = name_in(phase_names, run.at);
  if (!run.checked_input.empty())
    made["checked_input"] = run.checked_input;
  if (run.held)
    made["held"] = response_to_json(*run.held);
  if (run.ask_again)
    made["ask_again"] = true;
  if (run.stop_before_turn)
    made["stop"] = to_json(*run.stop_before_turn);
  if (run.at == phase::handing_off) {
    made["next"] = run.next_agent;
    if (run.handoff_arguments)
      made["handoff_arguments"] = *run.handoff_arguments;
  }
  if (run.at != phase::guarding_output && run.at != phase::finished)
    return;
  made["output"] = run.output;
  made["answer_start"] = run.answer_start;
  if (run.is_tool_output)
    made["tool_output_item"] = run.tool_output_item;
  if (run.structured)
    made["structured"] = *run.structured;
  if (run.failure)
    made["failure"] = to_json(*run.failure);
}

} // namespace

json head_to_json(const state& run) {
  json made = {
      {"troupe_run", state_version},       {"agent", run.agent->name},    {"turns", run.turns},
      {"usage", shares_to_json(run.used)}, {"approved", json::array()},   {"tool_users", run.tool_users},
      {"notes", notes_to_json(run.notes)}, {"repaired", run.is_repaired}, {"team", team_to_json(run.team)}};
  for (const auto& [agent, tool] : run.always_approved)
    made["approved"].push_back({{"agent", agent}, {"tool", tool}});
  if (run.context)
    made["context"] = *run.context;
  if (run.said_instead)
    made["said_instead"] = *run.said_instead;
  if (run.at != phase::paused)
    add_progress(run, made);
  return made;
}

json call_head_to_json(const open_call& call) {
  json made = {{"call_id", call.call_id},
               {"tool", call.offered_name},
               {"kind", name_in(kind_names, call.what)},
               {"name", call.name},
               {"waits", !call.result}};
  if (call.owner)
    made["owner"] = *call.owner;
  if (call.at != stage::waiting && call.at != stage::done)
    made["stage"] = name_in(stage_names, call.at);
  if (call.was_started)
    made["started"] = true;
  if (call.in_doubt)
    made["in_doubt"] = true;
  if (call.approved)
    made["approved"] = true;
  if (call.guard_step > 0)
    made["guard_step"] = call.guard_step;
  if (call.fatal)
    made["fatal"] = to_json(*call.fatal);
  if (!call.result && !call.nested && call.at == stage::waiting)
    made["schema"] = call.schema.document();
  if (!call.result && !call.decisions.empty())
    made["decisions"] = decisions_to_json(call.decisions);
  return made;
}

json output_to_json(const open_call& call) {
  return to_json(item(tool_output{call.call_id, call.result->parts, call.result->is_error}));
}

json call_to_json(const open_call& call) {
  auto made = call_head_to_json(call);
  if (call.arguments)
    made["arguments"] = *call.arguments;
  if (call.result)
    made["output"] = output_to_json(call);
  else if (call.nested)
    made["run"] = state_to_json(*call.nested);
  return made;
}

json seen_to_json(const state& run) {
  return {{"items", run.seen_past ? to_json(*run.seen_past) : json::array()}, {"from", run.seen_from}};
}

json state_to_json(const state& run) {
  auto made = head_to_json(run);
  made["items"] = to_json(run.fresh);
  made["calls"] = json::array();
  for (const auto& call : run.open_calls)
    made["calls"].push_back(call_to_json(call));
  if (run.team.history)
    made["team"]["history"] = to_json(*run.team.history);
  if (run.is_filtered)
    made["seen"] = seen_to_json(run);
  return made;
}

} // namespace troupe::run
