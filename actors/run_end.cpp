#include "actors/run.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe {

run_state::~run_state() {
  if (in_flight_)
    in_flight_->fetch_sub(1, std::memory_order_relaxed);
  cancel_calls(fail(errc::cancelled, "the run that asked is over"));
  settle(reservation_, {}, {});
  if (promise_.pending())
    promise_.deliver(to_caf(fail(errc::internal, "the run's actor ended without a result")));
}

void run_state::cancel_calls(const error& reason) {
  for (const auto& [key, call] : open_) {
    if (call.model)
      caf::anon_send(call.model, cancel_atom::value, key);
    if (call.server)
      caf::anon_send(call.server, cancel_atom::value, key);
  }
  open_.clear();
  for (const auto& [id, nested] : nested_)
    caf::anon_send(nested, cancel_atom::value, reason);
  nested_.clear();
}

void run_state::carry_out(const run::pause&) {
  is_over_ = true;
  auto& state = run_.state;
  run_outcome outcome;
  outcome.agent = wiring_->definition->name;
  outcome.items = state.fresh;
  outcome.used = state.used;
  outcome.approved = state.always_approved;
  state.past.reset();
  state.tools.reset();
  outcome.paused = std::make_shared<const run::state>(std::move(state));
  promise_.deliver(std::move(outcome));
  leave();
}

error run_state::stop_reason() const {
  return run_.state.failure.value_or(fail(errc::cancelled, "the run that asked is over"));
}

void run_state::carry_out(const run::finish&) {
  cancel_calls(stop_reason());
  for (const auto& [id, used] : std::exchange(spent_by_, {}))
    run_.state.used += used;
  auto facts = facts_for(hook_point::after_run, [this] {
    const auto& state = run_.state;
    json made = {{"usage", to_json(state.used)}};
    if (state.failure)
      made["error"] = {{"code", to_string(state.failure->code)}, {"detail", state.failure->detail}};
    else
      made["output"] = state.output;
    return made;
  });
  at_hooks(hook_point::after_run, std::move(facts), [this] {
    deliver();
    leave();
  });
}

void run_state::leave() {
  // Else the owner would keep a note of each run that it ever had.
  if (run_.company && run_.company->owner)
    self_->demonitor(run_.company->owner.address());
  self_->quit();
}

void run_state::deliver() {
  is_over_ = true;
  auto& state = run_.state;
  if (state.failure)
    mask_input();
  // Whoever keeps the history may append in place once nobody else holds it.
  state.past.reset();
  run_outcome outcome;
  outcome.failure = std::move(state.failure);
  outcome.output = std::move(state.output);
  outcome.agent = wiring_->definition->name;
  outcome.items = std::move(state.fresh);
  outcome.used = std::move(state.used);
  outcome.structured = std::move(state.structured);
  outcome.approved = std::move(state.always_approved);
  promise_.deliver(std::move(outcome));
}

void run_state::mask_input() {
  auto* said = std::get_if<user_message>(&run_.state.fresh.front());
  // Where it paused they were asked before.
  if (said == nullptr || was_paused_ || !run_.handed_by.empty() || !wiring_->guardrails)
    return;
  const auto& names = wiring_->definition->input_guardrails;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = wiring_->guardrails->find(names[i].name);
    if (found == wiring_->guardrails->end() || run_.state.checked_input.contains(i))
      continue;
    if (const auto* builtin = std::get_if<guardrail::builtin>(&found->second.check))
      if (auto verdict = guardrail::check(*builtin, said->text); verdict.what == guardrail::action::rewrite)
        said->text = std::move(verdict.text);
  }
}

} // namespace troupe
