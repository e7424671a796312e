#include "libagent/run/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe {

namespace {

constexpr double million = 1e6;
/// More than any model gives; keeps what a generous budget allows within an integer.
constexpr double most_tokens = 1e15;
/// A call that would get less than that waits for others to give back what they have reserved.
constexpr std::uint64_t enough_output = 4096;

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
error over(std::string detail, std::string_view owner, std::string_view kind, Number spent, Number limit) {
  auto reason = fail(errc::budget_exceeded, std::move(detail));
  reason.facts = std::make_shared<const json>(
      json{{"budget", owner}, {"kind", kind}, {"spent", spent}, {"limit", limit}});
  return reason;
}

template <class Number>
error exceeded(std::string_view owner, std::string_view kind, Number spent, Number limit) {
  return over(fmt::format("the {}'s budget of {} {} does not allow another call; {} are spent or reserved by "
                          "calls under way",
                          owner, limit, kind, spent),
              owner, kind, spent, limit);
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

std::uint64_t estimate_output(const item_list& answer) {
  return (text_bytes(answer) + bytes_per_token - 1) / bytes_per_token;
}

std::optional<double> cost_of(const usage_report& used, const price_list& prices) {
  std::optional<double> sum;
  for (const auto& share : used.shares())
    if (const auto rate = prices.find(share.model); rate != prices.end())
      sum = sum.value_or(0) + cost_of(share.used, rate->second);
  return sum;
}

ledger::amounts& ledger::amounts::operator+=(const amounts& other) noexcept {
  turns += other.turns;
  model_calls += other.model_calls;
  tool_calls += other.tool_calls;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  cost += other.cost;
  return *this;
}

ledger::ledger(std::vector<account> accounts, price_list prices, price_list dearest)
    : prices_(std::move(prices)), dearest_(std::move(dearest)) {
  for (auto& each : accounts)
    accounts_.push_back({std::move(each.owner), each.limits, amounts_of(each.before)});
}

ledger::amounts ledger::amounts_of(const usage_report& used) const {
  const auto total = used.total();
  return {total.requests,     total.requests,      total.tool_calls,
          total.input_tokens, total.output_tokens, cost_of(used, prices_).value_or(0)};
}

const price& ledger::price_of(std::string_view model) const {
  static const price free;
  const auto found = prices_.find(model);
  return found == prices_.end() ? free : found->second;
}

const price& ledger::reserved_price_of(std::string_view model) const {
  const auto found = dearest_.find(model);
  return found == dearest_.end() ? price_of(model) : found->second;
}

ledger::amounts ledger::sum() const {
  auto all = spent_;
  for (const auto& [id, each] : open_)
    all += each;
  return all;
}

std::optional<ledger::output_bound> ledger::output_left(const call_estimate& call,
                                                        const amounts& spent) const {
  std::optional<output_bound> left;
  for (const auto& each : accounts_) {
    const auto bound = [&](std::uint64_t tokens, std::string_view kind) {
      if (!left || tokens < left->tokens)
        left = output_bound{tokens, &each, kind};
    };
    const auto& limits = each.limits;
    auto all = each.before;
    all += spent;
    if (limits.output_tokens)
      bound(*limits.output_tokens - std::min(all.output_tokens, *limits.output_tokens), "output_tokens");
    if (limits.total_tokens) {
      const auto before = all.input_tokens + all.output_tokens + call.input_tokens;
      bound(*limits.total_tokens - std::min(before, *limits.total_tokens), "total_tokens");
    }
    const auto& rate = reserved_price_of(call.model);
    if (limits.cost && rate.output > 0) {
      const auto input = cost_of({0, call.input_tokens, 0, 0, 0}, rate);
      const auto tokens = (*limits.cost - all.cost - input) / rate.output * million;
      bound(static_cast<std::uint64_t>(std::clamp(tokens, 0.0, most_tokens)), "cost");
    }
  }
  return left;
}

std::optional<error> ledger::refusal_by_count(const call_estimate& call, const amounts& spent) const {
  for (const auto& [owner, limits, before] : accounts_) {
    auto all = before;
    all += spent;
    if (call.is_turn && passes<std::uint64_t>(limits.turns, all.turns, 1))
      return exceeded(owner, "turns", all.turns, *limits.turns);
    if (passes<std::uint64_t>(limits.model_calls, all.model_calls, 1))
      return exceeded(owner, "model_calls", all.model_calls, *limits.model_calls);
  }
  return std::nullopt;
}

std::optional<error> ledger::refusal_by_amount(const call_estimate& call, const amounts& spent) const {
  const auto input_cost = cost_of({0, call.input_tokens, 0, 0, 0}, reserved_price_of(call.model));
  const auto left = output_left(call, spent);
  for (const auto& each : accounts_) {
    const auto& limits = each.limits;
    const auto ends_output = [&](std::string_view kind) {
      return left && left->tokens == 0 && left->account == &each && left->kind == kind;
    };
    auto all = each.before;
    all += spent;
    if (passes(limits.input_tokens, all.input_tokens, call.input_tokens))
      return exceeded(each.owner, "input_tokens", all.input_tokens, *limits.input_tokens);
    if (ends_output("output_tokens"))
      return exceeded(each.owner, "output_tokens", all.output_tokens, *limits.output_tokens);
    if (ends_output("total_tokens"))
      return exceeded(each.owner, "total_tokens", all.input_tokens + all.output_tokens, *limits.total_tokens);
    // The output keeps within what is left by its bound.
    if (ends_output("cost") || passes(limits.cost, all.cost, input_cost))
      return exceeded(each.owner, "cost", all.cost, *limits.cost);
  }
  return std::nullopt;
}

namespace {

error cut_at(const std::string& owner, const budget& limits, std::string_view kind) {
  const auto reason = [&](auto limit) {
    return over(fmt::format("the answer was cut where the {}'s budget of {} {} ended", owner, limit, kind),
                owner, kind, limit, limit);
  };
  if (kind == "cost")
    return reason(*limits.cost);
  return reason(kind == "output_tokens" ? *limits.output_tokens : *limits.total_tokens);
}

} // namespace

std::optional<result<reservation>> ledger::reserve_model(const call_estimate& call) {
  const auto all = sum();
  if (auto reason = refusal_by_count(call, all))
    return std::move(*reason);
  if (auto reason = refusal_by_amount(call, all)) {
    if (!open_.empty() && !refusal_by_amount(call, spent_))
      return std::nullopt;
    return std::move(*reason);
  }
  const auto left = output_left(call, all);
  const auto wanted = call.max_output_tokens.value_or(usual_output);
  if (left && left->tokens < std::min(wanted, enough_output) && !open_.empty())
    return std::nullopt;
  reservation made{++last_id_, {}, {}};
  if (left && left->tokens < wanted) {
    made.max_output_tokens = left->tokens;
    made.if_cut = cut_at(left->account->owner, left->account->limits, left->kind);
  }
  const auto output = left ? std::min(left->tokens, wanted) : 0;
  const auto cost = cost_of({0, call.input_tokens, output, 0, 0}, reserved_price_of(call.model));
  open_[made.id] = {call.is_turn ? 1u : 0u, 1, 0, call.input_tokens, output, cost};
  return made;
}

result<void> ledger::reserve_tools(std::uint64_t calls) {
  for (const auto& [owner, limits, before] : accounts_) {
    const auto spent = before.tool_calls + spent_.tool_calls;
    if (passes(limits.tool_calls, spent, calls))
      return exceeded(owner, "tool_calls", spent, *limits.tool_calls);
  }
  spent_.tool_calls += calls;
  return {};
}

void ledger::settle(std::uint64_t id, std::string_view model, const usage& used) {
  const auto reserved = open_.extract(id);
  if (reserved.empty())
    return;
  auto charged = used;
  if (used.requests > 0 && used.input_tokens == 0)
    charged.input_tokens = reserved.mapped().input_tokens;
  spent_.turns += reserved.mapped().turns;
  ++spent_.model_calls;
  spent_.input_tokens += charged.input_tokens;
  spent_.output_tokens += charged.output_tokens;
  spent_.cost += cost_of(charged, price_of(model));
}

} // namespace troupe
