#include "actors/run.hpp"

#include "actors/cast.hpp"
#include "libagent/run/outside.hpp"

#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

std::string last_text(const run::state& state) {
  for (auto entry = state.fresh.rbegin(); entry != state.fresh.rend(); ++entry)
    if (const auto* said = std::get_if<user_message>(&*entry))
      return said->text;
  return {};
}

} // namespace

caf::typed_response_promise<run_outcome> run_state::take(agent_wiring_ptr wiring, travelling_run&& run) {
  wiring_ = std::move(wiring);
  in_flight_ = wiring_->in_flight;
  in_flight_->fetch_add(1, std::memory_order_relaxed);
  run_ = std::move(run);
  promise_ = self_->make_response_promise<run_outcome>();
  if (run_.company && run_.company->owner) {
    self_->send(run_.company->owner, moved_atom::value, run_.run_id,
                caf::actor_cast<caf::strong_actor_ptr>(self_));
    self_->monitor(run_.company->owner);
  }
  auto promise = promise_;
  enter();
  return promise;
}

void run_state::enter() {
  using run::phase;
  const auto at = run_.state.at;
  if (at != phase::handing_off && !run_.state.is_interrupted && run_.company && !run_.company->nested)
    tell(run_started{run_.run_id, run_.session_id});
  if (run_.state.is_interrupted) {
    was_paused_ = at != phase::created && at != phase::guarding_input;
    // What went before was told before.
    return feed(run::recovered{wiring_->definition});
  }
  if (at == phase::paused) {
    was_paused_ = true;
    tell(agent_started{wiring_->definition->name});
    feed(run::entered_agent{wiring_->definition});
    feed(run::resumed{std::move(run_.decisions)});
    return;
  }
  const auto go_on = [this] {
    tell(agent_started{wiring_->definition->name});
    feed(run::entered_agent{wiring_->definition});
  };
  if (at == phase::handing_off)
    at_hooks(hook_point::after_handoff,
             facts_for(hook_point::after_handoff,
                       [this] {
                         return json{{"from", run_.handed_by}, {"to", wiring_->definition->name}};
                       }),
             go_on);
  else
    at_hooks(hook_point::before_run,
             facts_for(hook_point::before_run,
                       [this] {
                         return json{{"input", last_text(run_.state)}};
                       }),
             go_on);
}

void run_state::cancel(error reason) {
  feed(run::stopped{std::move(reason)});
}

void run_state::cancel(error reason, cancel_mode mode) {
  if (mode == cancel_mode::at_once)
    return cancel(std::move(reason));
  for (const auto& [id, nested] : nested_)
    self_->send(nested, cancel_atom::value, reason, mode);
  feed(run::stop_after_turn{std::move(reason)});
}

void run_state::moved(const std::string& run_id, const caf::strong_actor_ptr& to) {
  if (is_finished()) {
    self_->send(caf::actor_cast<run_actor>(to), cancel_atom::value, stop_reason());
    return;
  }
  const auto& nested = nested_[run_id] = caf::actor_cast<run_actor>(to);
  if (run_.state.stop_before_turn)
    self_->send(nested, cancel_atom::value, *run_.state.stop_before_turn, cancel_mode::after_turn);
}

void run_state::feed(run::event what) {
  if (is_over_)
    return;
  if (!is_journaled()) {
    auto todo = run::step(run_.state, std::move(what));
    return carry_out_all(todo);
  }
  const bool is_recorded = run::is_recorded(what);
  auto todo = run::step(run_.state, std::move(what));
  if (todo.empty() && !is_recorded)
    return;
  write_down(std::move(todo), is_recorded);
}

void run_state::carry_out_all(run::effects& todo) {
  for (auto& effect : todo) {
    // What one effect brings about at once may have ended the run; the others are void then.
    if (is_over_ || (is_finished() && !std::holds_alternative<run::finish>(effect)))
      continue;
    std::visit([this](auto& e) { carry_out(e); }, effect);
  }
}

void run_state::renew_wiring() {
  const auto where = wiring_->where.lock();
  if (!where || where->version() == wiring_->version)
    return;
  const auto now = where->current();
  if (const auto found = now->wirings.find(wiring_->definition->name); found != now->wirings.end())
    wiring_ = found->second;
}

void run_state::carry_out(const run::collect_tools&) {
  renew_wiring();
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
    sources_.push_back(
        {server.name, std::make_shared<const tool_list>(), server.approval, server.is_trusted});
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
    feed(run::tools_collected{std::make_shared<const toolbox>(sources_, wiring_->handoffs,
                                                              wiring_->agent_tools, wiring_->definition)});
}

void run_state::carry_out(run::reserve& what) {
  const auto refused = [this](const caf::error& reason) {
    if (is_deadline(reason))
      feed(run::stopped{deadline_error()});
    else
      feed(run::refused{from_caf(reason)});
  };
  const auto& ledger = run_.company->ledger;
  if (!what.request) {
    self_->request(ledger, remaining(), reserve_atom::value, what.tool_calls)
        .then([this](acknowledgement) { feed(run::reserved{}); }, refused);
    return;
  }
  estimated_input_ = estimate_input(*what.request);
  call_estimate call{wiring_->definition->model, estimated_input_, what.request->settings.max_tokens, true};
  self_->request(ledger, remaining(), reserve_atom::value, std::move(call))
      .then(
          [this](const reservation& made) {
            reservation_ = made.id;
            feed(run::reserved{made.max_output_tokens, made.if_cut});
          },
          refused);
}

void run_state::carry_out(const run::hand_off& what) {
  renew_wiring();
  const auto next = wiring_->agents->find(what.agent);
  if (next == wiring_->agents->end()) {
    feed(
        run::stopped{fail(errc::internal, fmt::format("there is no agent '{}' to hand off to", what.agent))});
    return;
  }
  auto facts = facts_for(hook_point::before_handoff, [this, &what] {
    return json{{"from", wiring_->definition->name}, {"to", what.agent}};
  });
  at_hooks(hook_point::before_handoff, std::move(facts),
           [this, to = next->second, what] { hand_off_to(to, what); });
}

void run_state::hand_off_to(const agent_actor& next, const run::hand_off& what) {
  if (what.rules && what.rules->on_handoff) {
    auto told = call_outside(what.rules->on_handoff, what.arguments ? *what.arguments : no_facts());
    if (!told)
      return feed(run::stopped{cannot_go_on("on_handoff", told.error())});
  }
  tell(handed_off{wiring_->definition->name, what.agent});
  const auto company = run_.company;
  is_over_ = true;
  run_.handed_by = wiring_->definition->name;
  promise_.delegate(next, std::move(run_));
  run_.company = company;
  // CAF still calls it pending.
  promise_ = {};
  leave();
}

void run_state::carry_out(const run::repair& what) {
  tell(guardrail_acted{wiring_->definition->name, "output_schema",
                       std::string(to_string(run::guard_stage::output)), "reject", what.why});
}

void run_state::request_failed(const caf::error& reason, call_key key,
                               const std::function<void(error)>& handle) {
  // The call stays open, so that it is cancelled when this actor ends.
  if (is_deadline(reason)) {
    feed(run::stopped{deadline_error()});
    return;
  }
  const auto call = open_.extract(key);
  // It goes on where it is, unless it is told.
  if (reason == caf::sec::request_timeout && !call.empty() && call.mapped().model)
    self_->send(call.mapped().model, cancel_atom::value, key);
  handle(from_caf(reason));
}

bool run_state::is_deadline(const caf::error& reason) const {
  // A peer may also answer that something of its own timed out.
  return reason == caf::sec::request_timeout && self_->clock().now() >= run_.deadline;
}

error run_state::deadline_error() const {
  if (!run_.wall_time)
    return fail(errc::deadline_exceeded, "the run did not finish before its deadline");
  const auto limit = run_.wall_time->count();
  auto reason =
      fail(errc::budget_exceeded, fmt::format("the run took longer than its budget of {} ms", limit));
  reason.facts =
      std::make_shared<const json>(json{{"kind", "wall_time_ms"}, {"spent", limit}, {"limit", limit}});
  return reason;
}

std::chrono::milliseconds run_state::remaining(std::chrono::milliseconds beyond) const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(run_.deadline + beyond - self_->clock().now());
  return std::max(left, std::chrono::milliseconds(1));
}

call_key run_state::next_key() {
  return (static_cast<call_key>(self_->id()) << 24) + ++keys_;
}

bool run_state::is_streamed() const {
  return run_.company && run_.company->streamed && run_.company->observer;
}

void run_state::tell(run_event what) {
  if (!run_.company || !run_.company->observer)
    return;
  if (run_.company->streamed)
    ++unconsumed_;
  if (run_.company->nested)
    std::visit(
        [this](auto& each) {
          if constexpr (requires { each.nested_run; })
            each.nested_run = run_.run_id;
        },
        what);
  self_->send(run_.company->observer, std::move(what));
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
      [self](cancel_atom, const error& reason, cancel_mode mode) { self->state.cancel(reason, mode); },
      [self](consumed_atom, std::uint64_t events) { self->state.consumed(events); },
      [self](const model_progress& what) { self->state.progressed(what, self->current_sender()); },
      [self](moved_atom, const std::string& run_id, const caf::strong_actor_ptr& to) {
        self->state.moved(run_id, to);
      },
      [self](spent_atom, const std::string& run_id, const std::string& agent, const std::string& model,
             const usage& used) { self->state.spent(run_id, agent, model, used); },
  };
}

} // namespace troupe
