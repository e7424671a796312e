#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe::run {

namespace {

using stage = open_call::stage;

/// Sorts decisions by the call of this run that they are about. Those for nested runs lose the part of their
/// id that names the call.
std::map<std::size_t, std::vector<decision>> by_call(const state& run,
                                                     const std::vector<decision>& decisions) {
  std::map<std::size_t, std::vector<decision>> sorted;
  for (std::size_t i = 0; i < run.open_calls.size(); ++i) {
    if (run.open_calls[i].at != stage::waiting)
      continue;
    const auto id = place_of(run, i);
    for (auto each : decisions) {
      if (!run.open_calls[i].nested) {
        if (each.id == id)
          sorted[i].push_back(std::move(each));
      } else if (each.id.starts_with(id + "/")) {
        each.id.erase(0, id.size() + 1);
        sorted[i].push_back(std::move(each));
      }
    }
  }
  return sorted;
}

std::string rejection(const decision& what, const open_call& call) {
  if (!what.message.empty())
    return what.message;
  return call.in_doubt
             ? fmt::format("Error: the call of '{}' was interrupted and has failed.", call.offered_name)
             : fmt::format("The call of '{}' was not approved.", call.offered_name);
}

void settle_doubt(open_call& call, tool_result result) {
  call.in_doubt = false;
  settle(call, std::move(result));
}

/// The conversation shows the call as it is made: the model is to make sense of its output.
void edit(state& run, open_call& call, json arguments) {
  const auto written = std::find_if(run.fresh.rbegin(), run.fresh.rend(), [&](const item& each) {
    const auto* wish = std::get_if<tool_call>(&each);
    return wish != nullptr && wish->call_id == call.call_id;
  });
  if (written != run.fresh.rend()) {
    std::get<tool_call>(*written).arguments = dump_json(arguments);
    const auto place = static_cast<std::size_t>(run.fresh.rend() - written) - 1;
    run.unchanged = std::min(run.unchanged, place);
  }
  call.arguments = std::make_shared<const json>(std::move(arguments));
}

void decide(state& run, open_call& call, std::vector<decision>& decisions) {
  if (call.nested) {
    call.decisions = std::move(decisions);
    call.at = stage::queued;
    return;
  }
  auto& what = decisions.front();
  using verdict = decision::verdict;
  if (what.what == verdict::reject || what.what == verdict::fail)
    return settle_doubt(call, tool_result::failure(rejection(what, call)));
  if (what.what == verdict::result)
    return settle_doubt(call, tool_result::text(std::move(what.output)));
  if (what.always)
    run.always_approved.emplace(run.agent->name, approval_key(call));
  if (what.arguments)
    edit(run, call, std::move(*what.arguments));
  call.approved = true;
}

void give_up(state& run, open_call& call, std::string why) {
  if (call.nested)
    run.used += spent_by(*call.nested);
  call.nested.reset();
  settle(call, tool_result::failure(std::move(why)));
}

/// Finds what the call is for among the tools of today. What the name stands for must be what it stood for:
/// that is what somebody said yes to.
const toolbox_entry* find_again(const state& run, open_call& call) {
  const auto found = run.tools->find(call.offered_name);
  if (found == toolbox::npos)
    return nullptr;
  const auto& entry = run.tools->entries()[found];
  if (entry.what != call.what || entry.name != call.name || call.owner.value_or(entry.owner) != entry.owner)
    return nullptr;
  call.owner = entry.owner;
  call.source = entry.source;
  call.schema = (*run.tools->offered())[found].input;
  call.policy = entry.policy;
  call.rules = entry.handoff;
  return &entry;
}

bool is_decided(const state& run, const open_call& call) {
  return call.approved || (!call.nested && !call.in_doubt &&
                           run.always_approved.contains({run.agent->name, approval_key(call)}));
}

/// A call in doubt that nobody has said anything about. True if it may be made again.
bool settle_policy(const state& run, open_call& call, const toolbox_entry* entry) {
  if (entry != nullptr && entry->is_repeatable)
    return true;
  if (run.bounds.fails_in_doubt) {
    call.fatal = fail(errc::in_doubt,
                      fmt::format("the server ended while '{}' was being called: the call may have been "
                                  "carried out or not",
                                  call.offered_name));
    settle_doubt(call, tool_result::failure("Error: " + call.fatal->detail));
  }
  return false;
}

void reopen(state& run, open_call& call) {
  const auto* entry = find_again(run, call);
  if (call.in_doubt && !call.approved && !settle_policy(run, call, entry))
    return;
  if (entry == nullptr)
    return give_up(run, call,
                   fmt::format("Error: the tool '{}' is not available any more.", call.offered_name));
  if (!call.in_doubt && !is_decided(run, call))
    return;
  call.in_doubt = false;
  if (auto fits = call.schema.validate(*call.arguments); !fits)
    return give_up(run, call,
                   fmt::format("Error: the arguments for '{}' break its schema: {}.", call.offered_name,
                               fits.error().detail));
  if (call.what == toolbox_entry::kind::handoff) {
    settle(call, tool_result::text(dump_json(json{{"assistant", call.name}})));
  } else {
    call.at = stage::opened;
  }
}

/// A handoff that needed nobody's word has waited with the others for its turn to end.
void reopen_done(state& run, open_call& call) {
  // Its guardrails have not all been asked.
  if (call.at == stage::opened)
    find_again(run, call);
  if (call.what == toolbox_entry::kind::handoff && !call.result->is_error && !find_again(run, call))
    give_up(run, call, fmt::format("Error: the tool '{}' is not available any more.", call.offered_name));
}

bool has_members(const state& run) {
  return !run.open_calls.empty() && run.open_calls.front().call_id.empty();
}

} // namespace

std::vector<interruption> interruptions(const state& run) {
  std::vector<interruption> all;
  for (std::size_t i = 0; i < run.open_calls.size(); ++i) {
    const auto& call = run.open_calls[i];
    if (call.at != stage::waiting)
      continue;
    if (!call.nested) {
      const auto kind = call.in_doubt                               ? interruption::kind::in_doubt
                        : call.what == toolbox_entry::kind::handoff ? interruption::kind::handoff
                                                                    : interruption::kind::tool;
      all.push_back({place_of(run, i), kind, run.agent->name, call.offered_name, call.arguments});
      continue;
    }
    for (auto& inner : interruptions(*call.nested)) {
      inner.id = place_of(run, i) + "/" + inner.id;
      all.push_back(std::move(inner));
    }
  }
  return all;
}

namespace {

/// The waiting call that an interruption's id names, in this run or a nested one; null if there is none.
const open_call* find_waiting(const state& run, std::string_view id) {
  for (std::size_t i = 0; i < run.open_calls.size(); ++i) {
    const auto& call = run.open_calls[i];
    if (call.at != stage::waiting)
      continue;
    const auto own = place_of(run, i);
    if (!call.nested && id == own)
      return &call;
    if (call.nested && id.starts_with(own + "/"))
      return find_waiting(*call.nested, id.substr(own.size() + 1));
  }
  return nullptr;
}

/// Calls that wait for an approval and calls in doubt are decided by other words.
result<void> check_verdict(const open_call& call, const decision& what) {
  const bool is_approval = what.what == decision::verdict::approve || what.what == decision::verdict::reject;
  if (call.in_doubt && is_approval)
    return fail(errc::invalid_argument,
                fmt::format("the call '{}' is in doubt; decide \"repeat\", \"result\" (with its 'output') or "
                            "\"fail\"",
                            what.id));
  if (!call.in_doubt && !is_approval)
    return fail(
        errc::invalid_argument,
        fmt::format("the call '{}' waits for an approval; decide \"approve\" or \"reject\"", what.id));
  return {};
}

} // namespace

result<void> check_decisions(const state& run, const std::vector<decision>& decisions) {
  if (decisions.empty())
    return fail(errc::invalid_argument, "no decision is given; the run waits for at least one");
  std::set<std::string> seen;
  for (const auto& each : decisions) {
    const auto* call = find_waiting(run, each.id);
    if (call == nullptr)
      return fail(errc::invalid_argument,
                  fmt::format("the run does not wait for a decision on '{}'", each.id));
    if (!seen.insert(each.id).second)
      return fail(errc::invalid_argument, fmt::format("there are two decisions on '{}'", each.id));
    if (auto fits = check_verdict(*call, each); !fits)
      return fits;
    if (!each.arguments)
      continue;
    if (!each.arguments->is_object())
      return fail(errc::invalid_argument, fmt::format("the arguments for '{}' must be an object", each.id));
    if (auto fits = call->schema.validate(*each.arguments); !fits)
      return fail(errc::invalid_argument, fmt::format("the arguments for '{}' do not fit the tool '{}': {}",
                                                      each.id, call->offered_name, fits.error().detail));
  }
  return {};
}

usage_report spent_by(const state& run) {
  auto used = run.used;
  for (const auto& call : run.open_calls)
    if (call.nested)
      used += spent_by(*call.nested);
  return used;
}

result<void> check_kind(const state& run) {
  if ((run.agent->kind != agent_kind::model) == has_members(run))
    return {};
  return fail(errc::invalid_config,
              fmt::format("the agent '{}' is of another kind than when it paused", run.agent->name));
}

effects resume(state& run, std::vector<decision> decisions) {
  const bool is_team = run.agent->kind != agent_kind::model;
  if (auto fits = check_kind(run); !fits)
    return end_now(run, fits.error());
  for (auto& [index, chosen] : by_call(run, decisions))
    decide(run, run.open_calls[index], chosen);
  if (is_team) {
    run.at = phase::acting;
    return advance_calls(run);
  }
  run.at = phase::resuming;
  return {collect_tools{}};
}

effects reopen_calls(state& run) {
  for (auto& call : run.open_calls)
    call.result ? reopen_done(run, call) : reopen(run, call);
  const auto to_run = static_cast<std::uint64_t>(
      std::count_if(run.open_calls.begin(), run.open_calls.end(),
                    [](const open_call& call) { return call.at == stage::opened && !call.result; }));
  run.at = phase::acting;
  if (!run.has_budget || to_run == 0)
    return advance_calls(run);
  run.at = phase::reserving_tools;
  return {reserve{nullptr, to_run}};
}

} // namespace troupe::run
