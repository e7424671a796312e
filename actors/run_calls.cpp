#include "actors/function_tool.hpp"
#include "actors/metrics/measures.hpp"
#include "actors/paused_session_run.hpp"
#include "actors/run.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

namespace {

/// Failures of an agent that was called as a tool which are not the model's to deal with.
bool ends_caller(errc code) {
  return code == errc::budget_exceeded || code == errc::cancelled || code == errc::deadline_exceeded ||
         code == errc::shutting_down || code == errc::hook_failed;
}

run::tool_answered answer(const run::requested_call& call, tool_result result) {
  return {call.index, std::move(result), {}, {}};
}

} // namespace

void run_state::carry_out(run::call_tools& what) {
  for (const auto& call : what.calls)
    run_tool(call);
}

void run_state::run_tool(const run::requested_call& call) {
  // What goes on after a pause was told when it began.
  if (call.nested)
    return start_tool(call);
  if (!call.call_id.empty())
    tell_spent(wiring_->definition->name, {}, {0, 0, 0, 0, 0, 1});
  auto facts = facts_for(hook_point::before_tool, [&call] {
    return json{{"tool", call.offered_name}, {"call_id", call.call_id}, {"arguments", *call.arguments}};
  });
  at_hooks(hook_point::before_tool, std::move(facts), [this, call] { start_tool(call); });
}

void run_state::start_tool(const run::requested_call& call) {
  const auto& agent = wiring_->definition->name;
  const auto key = next_key();
  if (!call.call_id.empty() && !call.nested)
    tell(tool_started{agent, call.call_id, call.offered_name, dump_json(*call.arguments)});
  if (call.what == toolbox_entry::kind::agent)
    return call_agent(call, key);
  tool_invocation invocation{key, call.name, call.arguments, agent, run_.session_id};
  // Source 0 holds the code tools, the others the servers in order.
  if (call.source > 0)
    call_server(call, key, std::move(invocation));
  else
    call_code(call, key, std::move(invocation));
}

void run_state::call_server(const run::requested_call& call, call_key key, tool_invocation invocation) {
  const auto& server = wiring_->mcp_servers[call.source - 1].handle;
  open_[key].server = server;
  request_tool(server, std::min(call.timeout.value_or(remaining()), remaining()), key, call,
               std::move(invocation));
}

void run_state::call_code(const run::requested_call& call, call_key key, tool_invocation invocation) {
  const auto& tool = *std::find_if(wiring_->tools.begin(), wiring_->tools.end(),
                                   [&](const code_tool& known) { return known.spec.name == call.name; });
  const auto within = std::min({tool.timeout, call.timeout.value_or(tool.timeout), remaining()});
  if (const auto* handler = std::get_if<tool_actor>(&tool.handler)) {
    request_tool(*handler, within, key, call, std::move(invocation));
    return;
  }
  const auto& function = std::get<tool_function>(tool.handler);
  const auto worker = tool.blocking ? self_->spawn<caf::detached>(function_tool_call, function)
                                    : self_->spawn(function_tool_call, function);
  request_tool(worker, within, key, call, std::move(invocation));
}

const tool_measures* run_state::measures_of(const run::requested_call& call) const {
  const auto& all = wiring_->measures;
  if (!all)
    return nullptr;
  if (call.what == toolbox_entry::kind::agent)
    return &all->agents;
  if (call.source == 0)
    return &all->code;
  const auto found = all->servers.find(wiring_->mcp_servers[call.source - 1].name);
  return found == all->servers.end() ? nullptr : &found->second;
}

template <class Handle>
void run_state::request_tool(const Handle& tool, std::chrono::milliseconds within, call_key key,
                             const run::requested_call& call, tool_invocation invocation) {
  const auto* measures = measures_of(call);
  const auto began = self_->clock().now();
  self_->request(tool, within, std::move(invocation))
      .then(
          [this, call, key, measures, began](tool_result& result) {
            if (measures != nullptr)
              measures->ended(result.is_error, self_->clock().now() - began);
            tool_done(key, answer(call, std::move(result)));
          },
          [this, call, key, within, measures, began](const caf::error& reason) {
            if (measures != nullptr)
              measures->ended(true, self_->clock().now() - began);
            // A call that took too long goes on where it is, unless it is told.
            if (const auto open = open_.find(key); open != open_.end() && open->second.server)
              self_->send(open->second.server, cancel_atom::value, key);
            request_failed(reason, key, [this, &call, key, within](const error& why) {
              const auto text = why.code == errc::deadline_exceeded
                                    ? fmt::format("Error: '{}' did not answer within {} ms",
                                                  call.offered_name, within.count())
                                    : fmt::format("Error: {}", why.detail);
              tool_done(key, answer(call, tool_result::failure(text)));
            });
          });
}

void run_state::call_agent(const run::requested_call& call, call_key key) {
  renew_wiring();
  // A run that has paused may have been handed on before.
  const auto& wanted = call.nested ? call.nested->agent->name : call.name;
  const auto found = wiring_->agents->find(wanted);
  if (found == wiring_->agents->end()) {
    tool_done(key, answer(call, tool_result::failure(fmt::format("Error: there is no agent '{}'", wanted))));
    return;
  }
  const auto run_id = fmt::format("{}/{}", run_.run_id, call.place);
  open_[key].nested = run_id;
  spent_by_[run_id] = call.nested ? run::spent_by(*call.nested) : usage_report{};
  const auto within = std::min(call.timeout.value_or(remaining()), remaining());
  const auto* measures = measures_of(call);
  const auto began = self_->clock().now();
  self_->request(found->second, within + defaults::run_answer_grace, nested_run(call, run_id))
      .then(
          [this, call, key, measures, began](run_outcome& outcome) {
            // One that pauses goes on as the same call.
            if (measures != nullptr && !outcome.paused)
              measures->ended(outcome.failure.has_value(), self_->clock().now() - began);
            agent_answered(call, key, outcome);
          },
          [this, call, key, run_id, measures, began](const caf::error& reason) {
            if (measures != nullptr)
              measures->ended(true, self_->clock().now() - began);
            request_failed(reason, key, [this, &call, key, &run_id](const error& why) {
              if (const auto nested = nested_.extract(run_id); !nested.empty())
                self_->send(nested.mapped(), cancel_atom::value, why);
              auto failed = answer(call, tool_result::failure(fmt::format("Error: {}", why.detail)));
              failed.used = take_spent(run_id);
              if (call.is_member)
                failed.fatal = why;
              tool_done(key, std::move(failed));
            });
          });
}

travelling_run run_state::nested_run(const run::requested_call& call, const std::string& run_id) {
  travelling_run nested;
  const auto& outer = run_.state;
  if (call.nested) {
    nested.state = *call.nested;
    nested.decisions = call.decisions;
  } else {
    const auto* input = find_string(*call.arguments, "input");
    nested.state = run::begin(nullptr, input != nullptr ? *input : dump_json(*call.arguments), outer.bounds,
                              outer.context);
  }
  if (call.is_member)
    nested.state.past = call.history;
  nested.state.bounds = outer.bounds;
  nested.state.has_budget = outer.has_budget;
  nested.state.always_approved.insert(outer.always_approved.begin(), outer.always_approved.end());
  nested.deadline = run_.deadline;
  nested.wall_time = run_.wall_time;
  if (call.timeout && self_->clock().now() + *call.timeout < nested.deadline) {
    nested.deadline = self_->clock().now() + *call.timeout;
    nested.wall_time.reset();
  }
  auto company = run_.company ? *run_.company : run_company{};
  company.owner = run_owner_actor(self_);
  company.nested = true;
  nested.company = std::make_shared<const run_company>(std::move(company));
  nested.run_id = run_id;
  nested.session_id = run_.session_id;
  return nested;
}

void run_state::agent_answered(const run::requested_call& call, call_key key, run_outcome& outcome) {
  nested_.erase(open_[key].nested);
  spent_by_.erase(open_[key].nested);
  run_.state.always_approved.insert(outcome.approved.begin(), outcome.approved.end());
  if (outcome.paused) {
    open_.erase(key);
    feed(run::call_paused{call.index, outcome.paused});
    return;
  }
  if (!outcome.failure) {
    auto done = answer(call, tool_result::text(std::move(outcome.output)));
    done.used = std::move(outcome.used);
    return tool_done(key, std::move(done));
  }
  auto& why = *outcome.failure;
  auto failed = answer(
      call, tool_result::failure(fmt::format("Error: the agent '{}' failed: {}", call.name, why.detail)));
  failed.used = std::move(outcome.used);
  // An agent may also have had less time than this run has.
  const bool had_less_time = why.code == errc::deadline_exceeded && self_->clock().now() < run_.deadline;
  if (call.is_member || (ends_caller(why.code) && !had_less_time))
    failed.fatal = std::move(why);
  tool_done(key, std::move(failed));
}

void run_state::tool_done(call_key key, run::tool_answered answer) {
  open_.erase(key);
  feed(std::move(answer));
}

void run_state::carry_out(const run::report_call& what) {
  tell(tool_finished{wiring_->definition->name, what.call_id, what.offered_name, what.output, what.is_error});
  const auto go_on = [this, index = what.index] { feed(run::call_reported{index}); };
  if (!what.was_started)
    return go_on();
  auto facts = facts_for(hook_point::after_tool, [&what] {
    return json{{"tool", what.offered_name},
                {"call_id", what.call_id},
                {"arguments", *what.arguments},
                {"output", what.output},
                {"is_error", what.is_error}};
  });
  at_hooks(hook_point::after_tool, std::move(facts), go_on);
}

// What nested runs spend.

void run_state::tell_spent(const std::string& agent, const std::string& model, const usage& used) {
  if (run_.company && run_.company->nested)
    self_->send(caf::actor_cast<run_actor>(run_.company->owner), spent_atom::value, run_.run_id, agent, model,
                used);
}

void run_state::spent(const std::string& run_id, const std::string& agent, const std::string& model,
                      const usage& used) {
  if (const auto nested = spent_by_.find(run_id); nested != spent_by_.end()) {
    if (used.requests == 0)
      nested->second.add_tool_call(agent);
    else
      nested->second.add(agent, model, used);
    tell_spent(agent, model, used);
  }
}

usage_report run_state::take_spent(const std::string& run_id) {
  const auto nested = spent_by_.extract(run_id);
  return nested.empty() ? usage_report{} : std::move(nested.mapped());
}

} // namespace troupe
