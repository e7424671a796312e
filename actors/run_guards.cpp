#include "actors/io/log.hpp"
#include "actors/run.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe {

std::string_view to_string(hook_point point) noexcept {
  constexpr std::string_view names[] = {"before_run",  "after_run",  "before_model",   "after_model",
                                        "before_tool", "after_tool", "before_handoff", "after_handoff"};
  return names[static_cast<std::size_t>(point) - 1];
}

namespace {

std::string_view action_name(guardrail::action what) {
  constexpr std::string_view names[] = {"pass", "rewrite", "reject", "trip"};
  return names[static_cast<std::size_t>(what)];
}

error unjudged(const std::string& name, error why) {
  why.detail = fmt::format("the guardrail '{}' could not judge: {}", name, why.detail);
  return why;
}

std::string describe(const run::check& what) {
  switch (what.ticket.stage) {
  case run::guard_stage::input:
    return "what a user said to an assistant";
  case run::guard_stage::output:
    return "an assistant's answer to a user";
  case run::guard_stage::tool_input:
    return fmt::format("the arguments of a call of the tool '{}'", what.tool);
  default:
    return fmt::format("the output of the tool '{}'", what.tool);
  }
}

/// Runs a guardrail given as a function, once.
guardrail_actor::behavior_type guardrail_call(guardrail_actor::pointer self,
                                              const guardrail_function& function) {
  return {[self, function](const guardrail_question& question) -> caf::result<guardrail::verdict> {
    self->quit();
    try {
      auto verdict = function(question);
      if (!verdict)
        return to_caf(verdict.error());
      return std::move(*verdict);
    } catch (const std::exception& thrown) {
      return to_caf(fail(errc::internal, fmt::format("an exception: {}", thrown.what())));
    } catch (...) {
      return to_caf(fail(errc::internal, "an exception of unknown type"));
    }
  }};
}

} // namespace

void run_state::carry_out(run::check& what) {
  const auto found =
      wiring_->guardrails ? wiring_->guardrails->find(what.guardrail) : guardrail_map::const_iterator{};
  if (!wiring_->guardrails || found == wiring_->guardrails->end())
    return verdict_came(what,
                        fail(errc::internal, fmt::format("there is no guardrail '{}'", what.guardrail)));
  const auto& [check, timeout] = found->second;
  if (const auto* builtin = std::get_if<guardrail::builtin>(&check))
    return verdict_came(what, guardrail::check(*builtin, what.text));
  const auto within = std::min(timeout, remaining());
  if (const auto* rule = std::get_if<judge>(&check))
    return ask_judge(*rule, what, within);
  guardrail_question question{what.ticket.stage, wiring_->definition->name, what.text, what.tool,
                              run_.session_id};
  const auto came = [this, what](guardrail::verdict& verdict) { verdict_came(what, std::move(verdict)); };
  const auto failed = [this, what](const caf::error& reason) { no_verdict(what, reason); };
  if (const auto* handler = std::get_if<guardrail_actor>(&check)) {
    self_->request(*handler, within, std::move(question)).then(came, failed);
    return;
  }
  const auto worker = self_->spawn(guardrail_call, std::get<guardrail_function>(check));
  self_->request(worker, within, std::move(question)).then(came, failed);
}

void run_state::ask_judge(const judge& rule, const run::check& what, std::chrono::milliseconds within) {
  auto request = std::make_shared<model_request>(guardrail::ask_judge(rule.rule, describe(what), what.text));
  if (!run_.state.has_budget)
    return call_judge(rule, what, within, std::move(request), {});
  call_estimate estimate{rule.model_name, estimate_input(*request), request->settings.max_tokens, false};
  self_->request(run_.company->ledger, remaining(), reserve_atom::value, std::move(estimate))
      .then(
          [this, rule, what, within, request](const reservation& made) {
            if (made.max_output_tokens) {
              request->settings.max_tokens = static_cast<unsigned>(*made.max_output_tokens);
              request->settings.token_bound = request->settings.max_tokens;
            }
            call_judge(rule, what, std::min(within, remaining()), request, made);
          },
          [this, what](const caf::error& reason) { no_verdict(what, reason); });
}

void run_state::call_judge(const judge& rule, const run::check& what, std::chrono::milliseconds within,
                           model_request_ptr request, const reservation& reserved) {
  if (is_over_ || is_finished())
    return settle(reserved.id, {}, {});
  const auto key = next_key();
  const auto input = run_.state.has_budget ? estimate_input(*request) : 0;
  open_[key].model = rule.model;
  const auto began = self_->clock().now();
  self_->request(rule.model, within, model_call{key, std::move(request), {}})
      .then(
          [this, key, what, reserved, input, began, rule = rule.rule,
           model = rule.model_name](model_response& response) {
            open_.erase(key);
            if (response.model.empty())
              response.model = model;
            fill_in_usage(response, input);
            count_answered(response, began);
            settle(reserved.id, response.model, response.used);
            const auto& agent = wiring_->definition->name;
            tell_spent(agent, response.model, response.used);
            run_.state.used.add(agent, response.model, response.used);
            tell(usage_added{agent, response.model, response.used});
            if (reserved.if_cut && is_cut(response))
              return verdict_came(what, *reserved.if_cut);
            verdict_came(what, guardrail::read_judgement(rule, response));
          },
          [this, key, what, reserved, began, model = rule.model_name](const caf::error& reason) {
            count_failed(model, reason, began);
            settle_failed(reserved.id, from_caf(reason));
            request_failed(reason, key,
                           [&](const error&) { verdict_came(what, model_error(model, reason)); });
          });
}

void run_state::no_verdict(const run::check& what, const caf::error& reason) {
  if (is_deadline(reason))
    feed(run::stopped{deadline_error()});
  else
    verdict_came(what, from_caf(reason));
}

void run_state::verdict_came(const run::check& what, result<guardrail::verdict> outcome) {
  if (!outcome)
    outcome = unjudged(what.guardrail, outcome.error());
  else if (outcome->what != guardrail::action::pass)
    tell(guardrail_acted{wiring_->definition->name, what.guardrail, std::string(to_string(what.ticket.stage)),
                         std::string(action_name(outcome->what)), outcome->message});
  feed(run::checked{what.ticket, std::move(outcome)});
}

const json& run_state::no_facts() const {
  static const json none = json::object();
  return none;
}

bool run_state::has_hook(hook_point point) const {
  return std::any_of(wiring_->hooks.begin(), wiring_->hooks.end(),
                     [point](const hook& each) { return each.points.contains(point); });
}

void run_state::at_hooks(hook_point point, std::shared_ptr<const json> facts, std::function<void()> go_on) {
  // What was to follow a point that the run did not live to see is void.
  if (is_over_ || (is_finished() && point != hook_point::after_run))
    return;
  if (!facts)
    return go_on();
  hook_call call{point, run_.run_id, run_.session_id, wiring_->definition->name, std::move(facts)};
  tell_hook(0, std::move(call), std::move(go_on));
}

void run_state::tell_hook(std::size_t index, hook_call call, std::function<void()> go_on) {
  while (index < wiring_->hooks.size() && !wiring_->hooks[index].points.contains(call.point))
    ++index;
  if (is_over_ || (is_finished() && call.point != hook_point::after_run))
    return;
  if (index == wiring_->hooks.size())
    return go_on();
  const auto& next = wiring_->hooks[index];
  if (const auto* function = std::get_if<hook_function>(&next.handler)) {
    try {
      (*function)(call);
    } catch (const std::exception& thrown) {
      return hook_failed(next, call, fail(errc::hook_failed, thrown.what()), index, std::move(go_on));
    } catch (...) {
      return hook_failed(next, call, fail(errc::hook_failed, "an exception of unknown type"), index,
                         std::move(go_on));
    }
    return tell_hook(index + 1, std::move(call), std::move(go_on));
  }
  const auto left = call.point == hook_point::after_run ? remaining(defaults::after_run_grace) : remaining();
  const auto within = std::min(next.timeout, left);
  self_->request(std::get<hook_actor>(next.handler), within, call)
      .then([this, index, call, go_on](acknowledgement) { tell_hook(index + 1, call, go_on); },
            [this, index, call, go_on](const caf::error& reason) {
              // Whose time is over is the run, not the hook.
              if (is_deadline(reason) && call.point != hook_point::after_run)
                return feed(run::stopped{deadline_error()});
              hook_failed(wiring_->hooks[index], call, from_caf(reason), index, go_on);
            });
}

void run_state::hook_failed(const hook& failed, const hook_call& call, const error& why, std::size_t index,
                            std::function<void()> go_on) {
  auto reason = fail(errc::hook_failed, fmt::format("the hook '{}' failed at {}: {}", failed.name,
                                                    to_string(call.point), why.detail));
  if (failed.fails_open) {
    log().warn("run '{}': {}; the run goes on", run_.run_id, reason.detail);
    return tell_hook(index + 1, call, std::move(go_on));
  }
  // The run is over already; all that can change is how.
  if (call.point == hook_point::after_run) {
    if (!run_.state.failure)
      run_.state.failure = std::move(reason);
    return go_on();
  }
  feed(run::stopped{std::move(reason)});
}

} // namespace troupe
