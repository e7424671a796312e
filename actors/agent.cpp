#include "actors/agent.hpp"

#include "actors/ask.hpp"
#include "actors/budget.hpp"
#include "actors/defaults.hpp"
#include "actors/run.hpp"
#include "actors/run_id.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace troupe {

namespace {

/// Collects the tools of an agent's MCP servers for `describe`; shared by the answers' handlers.
struct description {
  caf::typed_response_promise<agent_info> promise;
  std::vector<tool_source> sources;
  std::size_t missing = 0;
};

result<run_reply> to_reply(run_outcome& outcome) {
  if (outcome.failure)
    return *outcome.failure;
  if (outcome.paused)
    return fail(errc::conflict, "the run needs an approval, which only runs on a session can wait for");
  return run_reply{std::move(outcome.output), std::move(outcome.agent), std::move(outcome.items),
                   std::move(outcome.used), std::move(outcome.structured)};
}

agent_info make_info(const agent_wiring& wiring, const toolbox& tools) {
  agent_info info;
  info.name = wiring.definition->name;
  info.model = wiring.definition->model;
  for (std::size_t i = 0; i < tools.entries().size(); ++i) {
    const auto& entry = tools.entries()[i];
    if (entry.what == toolbox_entry::kind::handoff)
      info.handoffs.push_back(entry.name);
    else
      info.tools.push_back((*tools.offered())[i].name);
  }
  return info;
}

} // namespace

agent_state::~agent_state() {
  for (auto& [number, asked] : prompts_) {
    asked.promise.deliver(to_caf(fail(errc::unavailable, "the agent's actor ended")));
    caf::anon_send_exit(asked.runner, caf::exit_reason::user_shutdown);
  }
}

caf::typed_response_promise<run_reply> agent_state::run_prompt(run_request&& request) {
  auto promise = self_->make_response_promise<run_reply>();
  travelling_run run;
  run.state = run::begin(std::move(request.history), std::move(request.prompt), wiring_->limits,
                         std::move(request.context));
  const auto spending = tighter(request.spending, wiring_->spending);
  auto within = wiring_->run_timeout;
  if (spending.wall_time && *spending.wall_time < within) {
    within = *spending.wall_time;
    run.wall_time = within;
  }
  run.state.has_budget = spending.is_bounded();
  run_company company;
  if (run.state.has_budget)
    company.ledger =
        self_->spawn(budget_behavior, ledger({{"run", spending}}, wiring_->prices, wiring_->dearest));
  run.company = std::make_shared<const run_company>(std::move(company));
  run.run_id = new_run_id();
  run.deadline = self_->clock().now() + within;
  const auto runner = self_->spawn(run_behavior, wiring_);
  const auto number = ++last_prompt_;
  prompts_.emplace(number, asked_run{runner, promise});
  ask<run_outcome>(
      self_, runner, within + defaults::run_answer_grace,
      [this, number](run_outcome& outcome) {
        auto asked = prompts_.extract(number);
        if (auto reply = to_reply(outcome))
          asked.mapped().promise.deliver(std::move(*reply));
        else
          asked.mapped().promise.deliver(to_caf(reply.error()));
      },
      [this, number](const caf::error& reason) {
        prompts_.extract(number).mapped().promise.deliver(to_caf(from_caf(reason)));
      },
      std::move(run));
  return promise;
}

caf::delegated<run_outcome> agent_state::take_over(travelling_run&& run) {
  return self_->delegate(self_->spawn(run_behavior, wiring_), std::move(run));
}

caf::typed_response_promise<agent_info> agent_state::describe() {
  auto work = std::make_shared<description>();
  work->promise = self_->make_response_promise<agent_info>();
  work->sources = {{"", wiring_->code_tools}};
  work->missing = wiring_->mcp_servers.size();
  const auto finish_if_complete = [work, wiring = wiring_] {
    if (work->missing == 0)
      work->promise.deliver(make_info(
          *wiring, toolbox(work->sources, wiring->handoffs, wiring->agent_tools, wiring->definition)));
  };
  finish_if_complete();
  for (const auto& server : wiring_->mcp_servers) {
    const auto index = work->sources.size();
    work->sources.push_back({server.name, std::make_shared<const tool_list>()});
    self_->request(server.handle, wiring_->run_timeout, tools_atom::value)
        .then(
            [work, index, finish_if_complete](const shared_tools& tools) {
              work->sources[index].tools = tools;
              --work->missing;
              finish_if_complete();
            },
            [work, finish_if_complete](const caf::error&) {
              --work->missing;
              finish_if_complete();
            });
  }
  return work->promise;
}

actor_status agent_state::status() const {
  auto status = status_of(self_);
  if (wiring_)
    status.in_flight = wiring_->in_flight->load(std::memory_order_relaxed);
  return status;
}

watched_agent_actor::behavior_type agent_behavior(watched_agent_actor::stateful_pointer<agent_state> self) {
  return {
      [self](run_request& request) { return self->state.run_prompt(std::move(request)); },
      [self](travelling_run& run) { return self->state.take_over(std::move(run)); },
      [self](info_atom) { return self->state.describe(); },
      [self](wire_atom, const agent_wiring_ptr& wiring) { self->state.wire(wiring); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
