#pragma once

#include "actors/interfaces.hpp"
#include "libagent/run/ledger.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <map>

namespace troupe {

/// Keeps the ledger of one run and all that it starts. Lives as long as somebody holds its handle. Calls that
/// others in flight leave nothing for wait, in order; whoever has reserved and ends without settling gives
/// back all that it held.
class budget_state {
public:
  explicit budget_state(budget_actor::pointer self) : self_(self) {}

  void begin(ledger book);
  caf::typed_response_promise<reservation> reserve(const call_estimate& call);
  void settle(std::uint64_t id, const std::string& model, const usage& used);
  void forget(const caf::actor_addr& who);
  result<void> reserve_tools(std::uint64_t calls) { return book_->reserve_tools(calls); }

  const char* name = "budget";

private:
  struct waiting_call {
    call_estimate call;
    caf::actor_addr asker;
    caf::typed_response_promise<reservation> promise;
  };

  bool knows(const caf::actor_addr& who) const;
  /// Has no interest in its end any more, if it holds nothing else.
  void let_go(const caf::actor_addr& who);
  /// Answers the calls that wait, as far as there is an answer.
  void go_on();

  budget_actor::pointer self_;
  std::optional<ledger> book_;
  std::deque<waiting_call> waiting_;
  std::map<std::uint64_t, caf::actor_addr> holders_;
};

budget_actor::behavior_type budget_behavior(budget_actor::stateful_pointer<budget_state> self, ledger book);

} // namespace troupe
