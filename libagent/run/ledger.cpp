#include "libagent/run/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

constexpr double million = 1e6;
/// More than any model gives; keeps what a generous budget allows within an integer.
constexpr double most_tokens = 1e15;
/// What a model without a bound of its own may answer with, while the output is bounded: as much as most
/// answers need, so that calls at the same time do not starve each other.
constexpr std::uint64_t usual_output = 4096;

constexpr std::size_t bytes_per_token = 4;
/// Of a tool's parameters, which are not written down for an estimate.
constexpr std::size_t usual_schema_bytes = 200;

std::size_t text_bytes(const item_list& items) {
  struct counter {
    std::size_t operator()(const user_message& said) const { return said.text.size(); }
    std::size_t operator()(const assistant_message& said) const { return said.text.size(); }
    std::size_t operator()(const tool_call& made) const { return made.name.size() + made.arguments.size(); }
    std::size_t operator()(const tool_output& got) const { return plain_text(got.parts).size(); }
    std::size_t operator()(const reasoning& thought) const { return thought.raw.size(); }
  };
  std::size_t bytes = 0;
  for (const auto& entry : items)
    bytes += std::visit(counter{}, entry);
  return bytes;
}

template <class Number>
error exceeded(std::string_view kind, Number spent, Number limit) {
  auto reason =
      fail(errc::budget_exceeded,
           fmt::format("the budget of {} {} does not allow another call; {} are spent", limit, kind, spent));
  reason.facts = std::make_shared<const json>(json{{"kind", kind}, {"spent", spent}, {"limit", limit}});
  return reason;
}

/// Whether so much more would pass the limit.
template <class Number>
bool passes(const std::optional<Number>& limit, Number spent, Number more) {
  return limit && (spent >= *limit ? more > 0 : more > *limit - spent);
}

} // namespace

double cost_of(const usage& used, const price& rate) noexcept {
  const auto cached = std::min(used.cached_tokens, used.input_tokens);
  return (static_cast<double>(used.input_tokens - cached) * rate.input +
          static_cast<double>(cached) * rate.cached_input.value_or(rate.input) +
          static_cast<double>(used.output_tokens) * rate.output) /
         million;
}

std::uint64_t estimate_input(const model_request& request) {
  auto bytes = request.instructions.size() + text_bytes(request.fresh);
  if (request.past)
    bytes += text_bytes(*request.past);
  if (request.tools)
    for (const auto& tool : *request.tools)
      bytes += tool.name.size() + tool.description.size() + usual_schema_bytes;
  return (bytes + bytes_per_token - 1) / bytes_per_token;
}

budget left_of(budget whole, const usage_report& used, std::uint64_t tool_calls, const price_list& prices) {
  const auto take = [](std::optional<std::uint64_t>& bound, std::uint64_t spent) {
    if (bound)
      *bound -= std::min(*bound, spent);
  };
  const auto total = used.total();
  take(whole.turns, total.requests);
  take(whole.model_calls, total.requests);
  take(whole.tool_calls, tool_calls);
  take(whole.input_tokens, total.input_tokens);
  take(whole.output_tokens, total.output_tokens);
  take(whole.total_tokens, total.total_tokens());
  if (whole.cost)
    for (const auto& share : used.shares())
      if (const auto rate = prices.find(share.model); rate != prices.end())
        *whole.cost = std::max(0.0, *whole.cost - cost_of(share.used, rate->second));
  return whole;
}

ledger::ledger(budget limits, price_list prices) : limits_(limits), prices_(std::move(prices)) {}

const price& ledger::price_of(std::string_view model) const {
  static const price free;
  const auto found = prices_.find(model);
  return found == prices_.end() ? free : found->second;
}

ledger::amounts ledger::sum() const {
  auto all = spent_;
  for (const auto& [id, each] : open_) {
    all.turns += each.turns;
    all.model_calls += each.model_calls;
    all.tool_calls += each.tool_calls;
    all.input_tokens += each.input_tokens;
    all.output_tokens += each.output_tokens;
    all.cost += each.cost;
  }
  return all;
}

std::optional<std::uint64_t> ledger::output_left(const call_estimate& call) const {
  const auto now = sum();
  std::optional<std::uint64_t> left;
  const auto bound = [&left](std::uint64_t more) { left = std::min(left.value_or(more), more); };
  if (limits_.output_tokens)
    bound(*limits_.output_tokens - std::min(now.output_tokens, *limits_.output_tokens));
  if (limits_.total_tokens) {
    const auto before = now.input_tokens + now.output_tokens + call.input_tokens;
    bound(*limits_.total_tokens - std::min(before, *limits_.total_tokens));
  }
  const auto& rate = price_of(call.model);
  if (limits_.cost && rate.output > 0) {
    const auto input = cost_of({0, call.input_tokens, 0, 0, 0}, rate);
    const auto tokens = (*limits_.cost - now.cost - input) / rate.output * million;
    bound(static_cast<std::uint64_t>(std::clamp(tokens, 0.0, most_tokens)));
  }
  return left;
}

result<reservation> ledger::reserve_model(const call_estimate& call) {
  const auto now = sum();
  if (passes<std::uint64_t>(limits_.turns, now.turns, 1))
    return exceeded("turns", now.turns, *limits_.turns);
  if (passes<std::uint64_t>(limits_.model_calls, now.model_calls, 1))
    return exceeded("model_calls", now.model_calls, *limits_.model_calls);
  if (passes(limits_.input_tokens, now.input_tokens, call.input_tokens))
    return exceeded("input_tokens", now.input_tokens, *limits_.input_tokens);
  const auto left = output_left(call);
  if (left == 0u) {
    if (limits_.output_tokens && now.output_tokens >= *limits_.output_tokens)
      return exceeded("output_tokens", now.output_tokens, *limits_.output_tokens);
    if (limits_.total_tokens &&
        now.input_tokens + now.output_tokens + call.input_tokens >= *limits_.total_tokens)
      return exceeded("total_tokens", now.input_tokens + now.output_tokens, *limits_.total_tokens);
    return exceeded("cost", now.cost, limits_.cost.value_or(0));
  }
  const auto& rate = price_of(call.model);
  reservation made{++last_id_, {}};
  if (left)
    made.max_output_tokens = std::min(*left, call.max_output_tokens.value_or(usual_output));
  // The output keeps within what is left by its bound.
  if (passes(limits_.cost, now.cost, cost_of({0, call.input_tokens, 0, 0, 0}, rate)))
    return exceeded("cost", now.cost, *limits_.cost);
  const auto output = made.max_output_tokens.value_or(0);
  open_[made.id] = {1, 1, 0, call.input_tokens, output, cost_of({0, call.input_tokens, output, 0, 0}, rate)};
  return made;
}

result<void> ledger::reserve_tools(std::uint64_t calls) {
  if (passes(limits_.tool_calls, spent_.tool_calls, calls))
    return exceeded("tool_calls", spent_.tool_calls, *limits_.tool_calls);
  spent_.tool_calls += calls;
  return {};
}

void ledger::settle(std::uint64_t id, std::string_view model, const usage& used) {
  if (open_.erase(id) == 0)
    return;
  ++spent_.turns;
  ++spent_.model_calls;
  spent_.input_tokens += used.input_tokens;
  spent_.output_tokens += used.output_tokens;
  spent_.cost += cost_of(used, price_of(model));
}

} // namespace troupe
