#include "libagent/core/strict_schema.hpp"
#include "libagent/run/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace troupe::run {

namespace {

/// The output as the agent's schema has it.
result<json> read_structured(const output_schema& wanted, const std::string& text) {
  auto value = parse_json(text);
  if (!value)
    return fail(errc::invalid_output, "it is " + value.error().detail);
  auto plain = drop_added_nulls(*value, wanted.schema.document());
  if (auto fits = wanted.schema.validate(plain); !fits)
    return fail(errc::invalid_output, fits.error().detail);
  return plain;
}

/// The message that holds the output, the last one of the answer; null if there is none.
assistant_message* final_message(state& run) {
  if (!run.is_tool_output)
    for (auto i = run.fresh.size(); i > run.answer_start; --i)
      if (auto* said = std::get_if<assistant_message>(&run.fresh[i - 1]))
        return said;
  return nullptr;
}

/// Where the next message of the answer is, or the number of items.
std::size_t next_message(const state& run, std::size_t from) {
  while (from < run.fresh.size() && !std::holds_alternative<assistant_message>(run.fresh[from]))
    ++from;
  return std::min(from, run.fresh.size());
}

/// The answer is no part of the conversation. The model still sees it, with why it was not good enough.
effects ask_for_better(state& run, const std::string& why) {
  for (auto& entry : take_back_answer(run))
    run.notes.push_back({run.fresh.size(), std::move(entry)});
  run.notes.push_back({run.fresh.size(), user_message{why}});
  run.output.clear();
  run.structured.reset();
  return next_turn(run);
}

/// The message under guard, or null for an output that is none.
assistant_message* guarded_message(state& run) {
  return run.guarded_item < run.fresh.size() ? &std::get<assistant_message>(run.fresh[run.guarded_item])
                                             : nullptr;
}

/// The messages of an answer pass the guardrails one after the other, the output itself last.
effects guard_output(state& run) {
  const auto& guardrails = run.agent->output_guardrails;
  if (run.output_guard >= guardrails.size()) {
    run.output_guard = 0;
    run.guarded_item = next_message(run, run.guarded_item + 1);
    if (guardrails.empty() || run.guarded_item == run.fresh.size())
      return end(run);
  }
  run.at = phase::guarding_output;
  const auto* message = guarded_message(run);
  return {check{{guard_stage::output, run.output_guard, run.guarded_item, turn_number(run)},
                guardrails[run.output_guard].name,
                message != nullptr ? message->text : run.output,
                {}}};
}

effects begin_output_guard(state& run) {
  run.output_guard = 0;
  run.guarded_item = run.is_tool_output ? run.fresh.size() : next_message(run, run.answer_start);
  return guard_output(run);
}

effects rewrite_output(state& run, std::string text) {
  auto* message = guarded_message(run);
  const bool is_output = message == final_message(run);
  if (is_output && run.agent->output && run.structured) {
    auto value = read_structured(*run.agent->output, text);
    if (!value)
      return end_now(
          run, fail(errc::invalid_output,
                    fmt::format("the guardrail '{}' left an output that does not fit its schema: {}",
                                run.agent->output_guardrails[run.output_guard].name, value.error().detail)));
    run.structured = std::make_shared<const json>(std::move(*value));
  }
  if (message != nullptr) {
    message->text = text;
    run.unchanged = std::min(run.unchanged, run.guarded_item);
  } else if (run.is_tool_output) {
    std::get<tool_output>(run.fresh[run.tool_output_item]).parts = {text_content{text}};
    run.unchanged = std::min(run.unchanged, run.tool_output_item);
  }
  if (is_output)
    run.output = std::move(text);
  ++run.output_guard;
  return guard_output(run);
}

error misfit(const state& run, std::string_view after, const error& why) {
  return fail(errc::invalid_output, fmt::format("the output of '{}' does not fit its schema{}: {}",
                                                run.agent->name, after, why.detail));
}

} // namespace

item_list take_back_answer(state& run) {
  if (run.is_tool_output)
    return {};
  const auto start = run.fresh.begin() + static_cast<std::ptrdiff_t>(run.answer_start);
  item_list answer(std::make_move_iterator(start), std::make_move_iterator(run.fresh.end()));
  run.fresh.erase(start, run.fresh.end());
  run.unchanged = std::min(run.unchanged, run.fresh.size());
  return answer;
}

effects conclude(state& run) {
  run.structured.reset();
  if (!run.agent->output)
    return begin_output_guard(run);
  const bool has_model = run.agent->kind == agent_kind::model;
  if (run.output.empty() && !run.is_tool_output && has_model)
    return next_turn(run);
  auto value = read_structured(*run.agent->output, run.output);
  if (value) {
    run.structured = std::make_shared<const json>(std::move(*value));
    return begin_output_guard(run);
  }
  // A tool's output is what it is: no model can mend it.
  if (run.is_tool_output)
    return begin_output_guard(run);
  if (!has_model)
    return end_with(run, misfit(run, "", value.error()));
  if (run.is_repaired)
    return end_with(run, misfit(run, ", and did not after one repair", value.error()));
  run.is_repaired = true;
  auto todo = ask_for_better(
      run, fmt::format("The answer does not fit the required JSON Schema: {}. Answer again with JSON "
                       "that fits, and nothing else.",
                       value.error().detail));
  if (run.at != phase::finished)
    todo.insert(todo.begin(), repair{value.error().detail});
  return todo;
}

effects output_checked(state& run, guardrail::verdict verdict) {
  switch (verdict.what) {
  case guardrail::action::pass:
    ++run.output_guard;
    return guard_output(run);
  case guardrail::action::rewrite:
    return rewrite_output(run, std::move(verdict.text));
  case guardrail::action::reject:
    if (run.agent->kind == agent_kind::model)
      return ask_for_better(run, verdict.message);
    // There is no model to tell.
    break;
  case guardrail::action::trip:
    break;
  }
  return end_now(run, tripped(run.agent->output_guardrails[run.output_guard].name, guard_stage::output,
                              verdict.message));
}

} // namespace troupe::run
