#include "actors/run.hpp"

#include "actors/function_tool.hpp"

#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

namespace {

error deadline_error() {
  return fail(errc::deadline_exceeded, "the run did not finish before its deadline");
}

} // namespace

run_state::~run_state() {
  for (const auto& [key, call] : open_) {
    if (call.model)
      caf::anon_send(call.model, cancel_atom::value, key);
    if (call.server)
      caf::anon_send(call.server, cancel_atom::value, key);
  }
  if (promise_.pending())
    promise_.deliver(to_caf(fail(errc::internal, "the run's actor ended without a result")));
}

caf::typed_response_promise<run_outcome> run_state::take(agent_wiring_ptr wiring, travelling_run&& run) {
  wiring_ = std::move(wiring);
  run_ = std::move(run);
  promise_ = self_->make_response_promise<run_outcome>();
  if (run_.watchers && run_.watchers->owner) {
    self_->send(run_.watchers->owner, moved_atom::value, run_.run_id,
                caf::actor_cast<caf::strong_actor_ptr>(self_));
    self_->monitor(run_.watchers->owner);
  }
  auto promise = promise_;
  tell(agent_started{wiring_->definition->name});
  feed(run::entered_agent{wiring_->definition});
  return promise;
}

void run_state::cancel(error reason) {
  feed(run::stopped{std::move(reason)});
}

void run_state::feed(run::event what) {
  for (auto& effect : run::step(run_.state, std::move(what)))
    std::visit([this](auto& e) { carry_out(e); }, effect);
}

void run_state::carry_out(const run::collect_tools&) {
  if (wiring_->toolbox)
    feed(run::tools_collected{wiring_->toolbox});
  else
    collect_from_servers();
}

void run_state::collect_from_servers() {
  sources_ = {{"", wiring_->code_tools}};
  sources_missing_ = wiring_->mcp_servers.size();
  for (const auto& server : wiring_->mcp_servers) {
    const auto index = sources_.size();
    sources_.push_back({server.name, std::make_shared<const tool_list>()});
    self_->request(server.handle, remaining(), tools_atom::value)
        .then([this, index](const shared_tools& tools) { tools_came(index, tools); },
              [this, index](const caf::error& reason) {
                if (is_deadline(reason))
                  feed(run::stopped{deadline_error()});
                else
                  tools_came(index, std::make_shared<const tool_list>());
              });
  }
}

void run_state::tools_came(std::size_t server, shared_tools tools) {
  sources_[server].tools = std::move(tools);
  if (--sources_missing_ == 0)
    feed(run::tools_collected{std::make_shared<const toolbox>(sources_, wiring_->handoffs)});
}

void run_state::carry_out(run::call_model& what) {
  const auto key = next_key();
  open_[key].model = wiring_->model;
  self_->request(wiring_->model, remaining(), model_call{key, std::move(what.request)})
      .then(
          [this, key](model_response& response) {
            open_.erase(key);
            tell_asides(response);
            feed(run::model_answered{std::move(response)});
          },
          [this, key](const caf::error& reason) {
            request_failed(reason, key, [this](error why) { feed(run::model_failed{std::move(why)}); });
          });
}

void run_state::tell_asides(const model_response& response) const {
  const auto is_call = [](const item& entry) { return std::holds_alternative<tool_call>(entry); };
  if (std::none_of(response.output.begin(), response.output.end(), is_call))
    return;
  for (const auto& entry : response.output)
    if (const auto* message = std::get_if<assistant_message>(&entry);
        message != nullptr && !message->text.empty())
      tell(said{wiring_->definition->name, message->text});
}

void run_state::carry_out(run::call_tools& what) {
  for (const auto& call : what.calls)
    run_tool(call);
}

void run_state::run_tool(const run::requested_call& call) {
  const auto& agent = wiring_->definition->name;
  const auto key = next_key();
  tell(tool_started{agent, call.call_id, call.offered_name, dump_json(*call.arguments)});
  tool_invocation invocation{key, call.name, call.arguments, agent, run_.session_id};
  // Source 0 holds the code tools, the others the servers in order.
  if (call.source > 0) {
    const auto& server = wiring_->mcp_servers[call.source - 1].handle;
    open_[key].server = server;
    request_tool(server, remaining(), key, call, std::move(invocation));
    return;
  }
  const auto& tool = *std::find_if(wiring_->tools.begin(), wiring_->tools.end(),
                                   [&](const code_tool& known) { return known.spec.name == call.name; });
  const auto within = std::min(tool.timeout, remaining());
  if (const auto* handler = std::get_if<tool_actor>(&tool.handler)) {
    request_tool(*handler, within, key, call, std::move(invocation));
    return;
  }
  const auto& function = std::get<tool_function>(tool.handler);
  const auto worker = tool.blocking ? self_->spawn<caf::detached>(function_tool_call, function)
                                    : self_->spawn(function_tool_call, function);
  request_tool(worker, within, key, call, std::move(invocation));
}

template <class Handle>
void run_state::request_tool(const Handle& tool, std::chrono::milliseconds within, call_key key,
                             const run::requested_call& call, tool_invocation invocation) {
  self_->request(tool, within, std::move(invocation))
      .then([this, call, key](tool_result& result) { tool_done(call, key, std::move(result)); },
            [this, call, key](const caf::error& reason) {
              request_failed(reason, key, [this, &call, key](const error& why) {
                tool_done(call, key, tool_result::failure(fmt::format("Error: {}", why.detail)));
              });
            });
}

void run_state::tool_done(const run::requested_call& call, call_key key, tool_result result) {
  open_.erase(key);
  tell(tool_finished{wiring_->definition->name, call.call_id, call.offered_name, plain_text(result.parts),
                     result.is_error});
  feed(run::tool_answered{call.index, std::move(result)});
}

void run_state::request_failed(const caf::error& reason, call_key key,
                               const std::function<void(error)>& handle) {
  // The call stays open, so that it is cancelled when this actor ends.
  if (is_deadline(reason)) {
    feed(run::stopped{deadline_error()});
    return;
  }
  open_.erase(key);
  handle(from_caf(reason));
}

void run_state::carry_out(const run::hand_off& what) {
  const auto next = wiring_->agents->find(what.agent);
  if (next == wiring_->agents->end()) {
    feed(
        run::stopped{fail(errc::internal, fmt::format("there is no agent '{}' to hand off to", what.agent))});
    return;
  }
  tell(handed_off{wiring_->definition->name, what.agent});
  const auto watchers = run_.watchers;
  promise_.delegate(next->second, std::move(run_));
  run_.watchers = watchers;
  // CAF still calls it pending.
  promise_ = {};
  leave();
}

void run_state::carry_out(const run::finish&) {
  deliver();
  leave();
}

void run_state::leave() {
  // Else the owner would keep a note of each run that it ever had.
  if (run_.watchers && run_.watchers->owner)
    self_->demonitor(run_.watchers->owner.address());
  self_->quit();
}

void run_state::deliver() {
  auto& state = run_.state;
  // Whoever keeps the history may append in place once nobody else holds it.
  state.past.reset();
  promise_.deliver(run_outcome{std::move(state.failure), std::move(state.output), wiring_->definition->name,
                               std::move(state.fresh), state.used});
}

bool run_state::is_deadline(const caf::error& reason) const {
  // A peer may also answer that something of its own timed out.
  return reason == caf::sec::request_timeout && self_->clock().now() >= run_.deadline;
}

std::chrono::milliseconds run_state::remaining() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(run_.deadline - self_->clock().now());
  return std::max(left, std::chrono::milliseconds(1));
}

call_key run_state::next_key() {
  return (static_cast<call_key>(self_->id()) << 24) + ++keys_;
}

void run_state::tell(run_event what) const {
  if (run_.watchers && run_.watchers->observer)
    self_->send(run_.watchers->observer, std::move(what));
}

run_actor::behavior_type run_behavior(run_actor::stateful_pointer<run_state> self, agent_wiring_ptr wiring) {
  self->set_down_handler([self](const caf::down_msg&) {
    self->state.cancel(fail(errc::cancelled, "whoever started the run is gone"));
  });
  return {
      [self, wiring = std::move(wiring)](travelling_run& run) {
        return self->state.take(wiring, std::move(run));
      },
      [self](cancel_atom, const error& reason) { self->state.cancel(reason); },
  };
}

} // namespace troupe
