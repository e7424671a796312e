#include "libagent/run/steps.hpp"

#include <algorithm>

namespace troupe::run {

namespace {

const std::string* last_user_text(const item_list& items) {
  const auto last = std::find_if(items.rbegin(), items.rend(), [](const item& entry) {
    return std::holds_alternative<user_message>(entry);
  });
  return last == items.rend() ? nullptr : &std::get<user_message>(*last).text;
}

/// A team's members may call tools at once, so that it has to wait for all guardrails.
bool is_parallel(const state& run, std::size_t index) {
  return run.agent->input_guardrails[index].parallel && run.agent->kind == agent_kind::model;
}

check check_input(state& run, std::size_t index) {
  run.unchecked_input[index] = run.input_rewrites;
  return {{guard_stage::input, index, run.input_rewrites, turn_number(run)},
          run.agent->input_guardrails[index].name,
          said_last(run),
          {}};
}

/// Starts the next guardrail that has to be waited for, or the run.
effects guard_from(state& run, std::size_t index) {
  const auto count = run.agent->input_guardrails.size();
  while (index < count && (is_parallel(run, index) || run.checked_input.contains(index)))
    ++index;
  if (index < count) {
    run.at = phase::guarding_input;
    return {check_input(run, index)};
  }
  return run.agent->kind == agent_kind::model ? next_turn(run) : enter_team(run);
}

/// The model sees the message in the place of what the user said; the session keeps what was said.
void replace_input(state& run, std::string message) {
  run.said_instead = message;
  auto seen = run.past ? *run.past : item_list{};
  seen.emplace_back(user_message{std::move(message)});
  run.is_filtered = true;
  run.seen_past = std::make_shared<const item_list>(std::move(seen));
  run.seen_from = 1;
}

void apply(state& run, guardrail::verdict& verdict) {
  if (verdict.what == guardrail::action::rewrite) {
    run.fresh.front() = user_message{std::move(verdict.text)};
    run.unchanged = 0;
    ++run.input_rewrites;
  } else if (verdict.what == guardrail::action::reject) {
    replace_input(run, std::move(verdict.message));
  }
}

} // namespace

std::string input_of(const state& run) {
  return run.said_instead ? *run.said_instead : said_last(run);
}

std::string said_last(const state& run) {
  if (const auto* text = last_user_text(run.fresh))
    return *text;
  const auto* text = run.past ? last_user_text(*run.past) : nullptr;
  return text != nullptr ? *text : std::string();
}

json scope_of(const state& run) {
  return {{"context", run.context ? *run.context : json::object()},
          {"agent", run.agent ? run.agent->name : std::string()},
          {"input", input_of(run)}};
}

effects guard_input(state& run) {
  return guard_from(run, 0);
}

void start_parallel_checks(state& run, effects& into) {
  // Only the first agent's, and only once: with its first model call.
  if (run.turns != 1 || run.agent->input_guardrails.empty())
    return;
  for (std::size_t i = 0; i < run.agent->input_guardrails.size(); ++i)
    if (is_parallel(run, i) && !run.checked_input.contains(i))
      into.emplace_back(check_input(run, i));
}

namespace {

effects take_held_answer(state& run) {
  auto response = std::move(*run.held);
  run.held.reset();
  return take_answer(run, std::move(response));
}

} // namespace

effects hold_again(state& run) {
  effects todo;
  for (std::size_t i = 0; i < run.agent->input_guardrails.size(); ++i)
    if (is_parallel(run, i) && !run.checked_input.contains(i))
      todo.emplace_back(check_input(run, i));
  return todo.empty() ? take_held_answer(run) : todo;
}

effects input_checked(state& run, std::size_t index, guardrail::verdict verdict) {
  const auto is_blocking = run.at == phase::guarding_input;
  const auto seen_rewrites = run.unchecked_input[index];
  run.unchecked_input.erase(index);
  if (verdict.what != guardrail::action::trip)
    run.checked_input.insert(index);
  if (verdict.what == guardrail::action::trip)
    return end_now(run,
                   tripped(run.agent->input_guardrails[index].name, guard_stage::input, verdict.message));
  // Two that rewrite the same text side by side would undo each other's work: the second one looks again.
  if (verdict.what == guardrail::action::rewrite && seen_rewrites != run.input_rewrites) {
    run.checked_input.erase(index);
    return {check_input(run, index)};
  }
  apply(run, verdict);
  if (is_blocking)
    return guard_from(run, index + 1);
  if (verdict.what != guardrail::action::pass)
    run.ask_again = true;
  if (run.at != phase::holding || !run.unchecked_input.empty())
    return {};
  return take_held_answer(run);
}

} // namespace troupe::run
