#include "libagent/run/arguments.hpp"
#include "libagent/run/outside.hpp"
#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::run {

namespace {

using stage = open_call::stage;

bool is_tool_call(const item& entry) {
  return std::holds_alternative<tool_call>(entry);
}

// Calls that come again.

/// The call with that id among the run's items up to `end`, or null.
const tool_call* call_with_id(const state& run, const std::string& id, std::size_t end) {
  for (std::size_t i = 0; i < end; ++i)
    if (const auto* made = std::get_if<tool_call>(&run.fresh[i]); made != nullptr && made->call_id == id)
      return made;
  return nullptr;
}

bool is_same(const tool_call& left, const tool_call& right) {
  if (left.name != right.name)
    return false;
  if (left.arguments == right.arguments)
    return true;
  const auto one = parse_json(left.arguments);
  const auto other = parse_json(right.arguments);
  return one && other && *one == *other;
}

// Opening calls.

error reused_id(const std::string& id) {
  return fail(errc::protocol_violation,
              fmt::format("the model used the call id '{}' for two different calls", id));
}

json scope_of_call(const state& run, const open_call& call) {
  auto scope = scope_of(run);
  scope["tool"] = call.offered_name;
  scope["arguments"] = call.arguments ? *call.arguments : json::object();
  return scope;
}

result<bool> applies(const approval_rule& rule, const state& run, const open_call& call) {
  if (!rule.needed || !rule.when)
    return rule.needed;
  return call_outside(rule.when, scope_of_call(run, call));
}

/// Whether somebody has to say yes to the call. A rule that cannot be tested asks: the safe side.
bool needs_approval(const state& run, const toolbox_entry& entry, const open_call& call) {
  if (run.always_approved.contains({run.agent->name, approval_key(call)}))
    return false;
  for (const auto* rule : {&entry.approval, entry.policy ? &entry.policy->approval : nullptr,
                           entry.handoff ? &entry.handoff->approval : nullptr})
    if (rule != nullptr)
      if (const auto needed = applies(*rule, run, call); !needed || *needed)
        return true;
  return false;
}

tool_result handoff_result(const std::string& agent) {
  return tool_result::text(dump_json(json{{"assistant", agent}}));
}

void open_handoff(const state& run, const toolbox_entry& entry, open_call& call) {
  if (const auto* first = chosen_handoff(run))
    return settle(call, tool_result::failure(fmt::format(
                            "Not carried out: this turn already hands off to '{}'.", first->name)));
  if (needs_approval(run, entry, call))
    call.at = stage::waiting;
  else
    settle(call, handoff_result(call.name));
}

open_call open_one(const state& run, const tool_call& made) {
  open_call call;
  call.call_id = made.call_id;
  call.offered_name = made.name;
  const auto found = run.tools->find(made.name);
  if (found == toolbox::npos) {
    settle(call, tool_result::failure(unknown_tool(*run.tools, made.name)));
    return call;
  }
  const auto& entry = run.tools->entries()[found];
  const auto& spec = (*run.tools->offered())[found];
  call.source = entry.source;
  call.name = entry.name;
  call.owner = entry.owner;
  call.schema = spec.input;
  call.policy = entry.policy;
  call.rules = entry.handoff;
  auto arguments = read_arguments(spec, made.arguments);
  // The usual handoff takes nothing, so whatever the model says about it does no harm.
  if (!arguments && entry.what == toolbox_entry::kind::handoff && !(entry.handoff && entry.handoff->input))
    arguments = json::object();
  if (!arguments) {
    settle(call, tool_result::failure(arguments.error().detail));
    return call;
  }
  call.what = entry.what;
  call.arguments = std::make_shared<const json>(std::move(*arguments));
  if (entry.what == toolbox_entry::kind::handoff) {
    open_handoff(run, entry, call);
    return call;
  }
  call.at = needs_approval(run, entry, call) ? stage::waiting : stage::opened;
  return call;
}

} // namespace

const open_call* chosen_handoff(const state& run) {
  const auto found = std::find_if(run.open_calls.begin(), run.open_calls.end(), [](const open_call& call) {
    return call.what == toolbox_entry::kind::handoff && (call.at == stage::waiting || !call.result->is_error);
  });
  return found == run.open_calls.end() ? nullptr : &*found;
}

std::string approval_key(const open_call& call) {
  return call.owner.value_or("").empty() ? call.offered_name : fmt::format("{}/{}", *call.owner, call.name);
}

effects open_calls(state& run, const std::vector<tool_call>& calls, std::size_t start) {
  run.output.clear();
  run.tool_users.insert(run.agent->name);
  run.open_calls.reserve(calls.size());
  auto at = start;
  for (const auto& made : calls) {
    while (!is_tool_call(run.fresh[at]))
      ++at;
    if (const auto* earlier = call_with_id(run, made.call_id, at)) {
      if (!is_same(*earlier, made)) {
        // Neither this call nor those after it are ever answered.
        const auto unanswered = run.fresh.begin() + static_cast<std::ptrdiff_t>(at);
        run.fresh.erase(std::remove_if(unanswered, run.fresh.end(), is_tool_call), run.fresh.end());
        run.unchanged = std::min(run.unchanged, at);
        return end_now(run, reused_id(made.call_id));
      }
      // What came of it is in the conversation, or will be.
      run.fresh.erase(run.fresh.begin() + static_cast<std::ptrdiff_t>(at));
      run.unchanged = std::min(run.unchanged, at);
      continue;
    }
    run.open_calls.push_back(open_one(run, made));
    ++at;
  }
  run.at = phase::acting;
  const auto to_run = static_cast<std::uint64_t>(
      std::count_if(run.open_calls.begin(), run.open_calls.end(),
                    [](const open_call& call) { return call.at == stage::opened; }));
  if (!run.has_budget || to_run == 0)
    return advance_calls(run);
  run.at = phase::reserving_tools;
  return {reserve{nullptr, to_run}};
}

} // namespace troupe::run
