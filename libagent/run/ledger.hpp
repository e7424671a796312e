#pragma once

#include "libagent/model/model.hpp"
#include "libagent/run/budget.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What a model charges, in any currency, for a million tokens.
struct price {
  double input = 0;
  /// For input tokens that the endpoint had cached; nothing given: as other input.
  std::optional<double> cached_input;
  double output = 0;
  friend bool operator==(const price&, const price&) = default;
};
/// By the model's name in the configuration.
using price_list = std::map<std::string, price, std::less<>>;

double cost_of(const usage& used, const price& rate) noexcept;

/// A model call to be made.
struct call_estimate {
  std::string model;
  std::uint64_t input_tokens = 0;
  /// The most that it may answer with, where the agent says so.
  std::optional<std::uint64_t> max_output_tokens;
};

/// What came of a reservation.
struct reservation {
  std::uint64_t id = 0;
  /// Tokens that the model may answer with, lest the budget be overshot; nothing if there is no such bound.
  std::optional<std::uint64_t> max_output_tokens;
};

/// Keeps what a run and all that it starts have spent, against what they may spend. A call is reserved before
/// it is made and settled afterwards; what is reserved counts as spent, so that calls at the same time cannot
/// overshoot together. Input tokens are estimated before a call, so that one call can exceed an input bound
/// by the error of that estimate; output cannot, since the model is told the bound.
class ledger {
public:
  /// Money without a price list entry costs nothing.
  ledger(budget limits, price_list prices);

  /// Error `budget_exceeded` with facts "kind", "spent" and "limit": the first bound that the call would
  /// pass.
  result<reservation> reserve_model(const call_estimate& call);
  result<void> reserve_tools(std::uint64_t calls);
  /// The call has ended and cost this (nothing, if it failed). Unknown ids are ignored.
  void settle(std::uint64_t id, std::string_view model, const usage& used);
  const budget& limits() const noexcept { return limits_; }
  double cost() const noexcept { return spent_.cost; }

private:
  struct amounts {
    std::uint64_t turns = 0;
    std::uint64_t model_calls = 0;
    std::uint64_t tool_calls = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    double cost = 0;
  };

  const price& price_of(std::string_view model) const;
  /// Output tokens that a call may still have; nothing if nothing bounds them.
  std::optional<std::uint64_t> output_left(const call_estimate& call) const;
  amounts sum() const;

  budget limits_;
  price_list prices_;
  amounts spent_;
  std::map<std::uint64_t, amounts> open_;
  std::uint64_t last_id_ = 0;
};

/// Tokens that a request will cost, by the size of its texts: four bytes a token.
std::uint64_t estimate_input(const model_request& request);

/// What is left of a budget after so much; the wall time is not touched.
budget left_of(budget whole, const usage_report& used, std::uint64_t tool_calls, const price_list& prices);

} // namespace troupe
