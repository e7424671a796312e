#pragma once

#include "libagent/model/model.hpp"
#include "libagent/run/budget.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
/// What all of it cost; nothing if the list has a price for none of its models.
std::optional<double> cost_of(const usage_report& used, const price_list& prices);

/// A model call to be made.
struct call_estimate {
  std::string model;
  std::uint64_t input_tokens = 0;
  /// The most that it may answer with, where the agent says so.
  std::optional<std::uint64_t> max_output_tokens;
  /// False for calls that are no turn of an agent: a judge's.
  bool is_turn = true;
};

/// What came of a reservation.
struct reservation {
  std::uint64_t id = 0;
  /// Tokens that the model may answer with, lest the budget be overshot; nothing if it will not be.
  std::optional<std::uint64_t> max_output_tokens;
  /// What it means for the run if the answer ends at that bound.
  std::optional<error> if_cut;
};

/// A budget, and what was spent of it before.
struct account {
  /// Whose it is, for errors: "run" or "session".
  std::string owner;
  budget limits;
  usage_report before{};
};

/// Keeps what a run and all that it starts have spent, against what they may spend. A call is reserved before
/// it is made and settled afterwards; what is reserved counts as spent, so that calls at the same time cannot
/// overshoot together. Input tokens are estimated before a call, so that one call can exceed an input bound
/// by the error of that estimate; output cannot where the model is told the bound: where the agent has one of
/// its own, and where less is left than `usual_output`.
class ledger {
public:
  /// What a model without a bound of its own is taken to answer with at most.
  static constexpr std::uint64_t usual_output = 16'384;

  /// Every account's bounds hold. Money without a price list entry costs nothing. `dearest` has the price to
  /// reserve at for models whose calls may fall to another one.
  ledger(std::vector<account> accounts, price_list prices, price_list dearest = {});

  /// Nothing while calls in flight hold what this one needs and may give some of it back: ask again once one
  /// is settled. Error `budget_exceeded` with facts "kind", "spent" and "limit": the first bound that the
  /// call would pass.
  std::optional<result<reservation>> reserve_model(const call_estimate& call);
  result<void> reserve_tools(std::uint64_t calls);
  /// The call has ended and cost this (nothing, if it failed). One that succeeded and tells no input is
  /// charged its estimate. Unknown ids are ignored.
  void settle(std::uint64_t id, std::string_view model, const usage& used);
  double cost() const noexcept { return spent_.cost; }

private:
  struct amounts {
    std::uint64_t turns = 0;
    std::uint64_t model_calls = 0;
    std::uint64_t tool_calls = 0;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    double cost = 0;

    amounts& operator+=(const amounts& other) noexcept;
  };

  /// A budget with all that counts against it.
  struct limited {
    std::string owner;
    budget limits;
    amounts before;
  };
  /// A bound on output tokens, and what makes it.
  struct output_bound {
    std::uint64_t tokens;
    const limited* account;
    std::string_view kind;
  };

  const price& price_of(std::string_view model) const;
  const price& reserved_price_of(std::string_view model) const;
  amounts amounts_of(const usage_report& used) const;
  /// Output tokens that a call may have after so much; nothing if nothing bounds them.
  std::optional<output_bound> output_left(const call_estimate& call, const amounts& spent) const;
  std::optional<error> refusal_by_count(const call_estimate& call, const amounts& spent) const;
  std::optional<error> refusal_by_amount(const call_estimate& call, const amounts& spent) const;
  amounts sum() const;

  std::vector<limited> accounts_;
  price_list prices_;
  price_list dearest_;
  amounts spent_;
  std::map<std::uint64_t, amounts> open_;
  std::uint64_t last_id_ = 0;
};

/// Tokens that a request will cost, by the size of its texts: four bytes a token.
std::uint64_t estimate_input(const model_request& request);
/// The same of an answer.
std::uint64_t estimate_output(const item_list& answer);

} // namespace troupe
