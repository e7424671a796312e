#include "actors/budget.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe {

void budget_state::begin(ledger book) {
  book_ = std::move(book);
}

caf::typed_response_promise<reservation> budget_state::reserve(const call_estimate& call) {
  auto promise = self_->make_response_promise<reservation>();
  const auto asker = caf::actor_cast<caf::actor_addr>(self_->current_sender());
  if (asker && !knows(asker))
    self_->monitor(asker);
  waiting_.push_back({call, asker, promise});
  go_on();
  return promise;
}

void budget_state::settle(std::uint64_t id, const std::string& model, const usage& used) {
  book_->settle(id, model, used);
  if (const auto held = holders_.extract(id); !held.empty())
    let_go(held.mapped());
  go_on();
}

void budget_state::forget(const caf::actor_addr& who) {
  std::erase_if(waiting_, [&](const waiting_call& each) { return each.asker == who; });
  std::vector<std::uint64_t> held;
  for (const auto& [id, holder] : holders_)
    if (holder == who)
      held.push_back(id);
  for (const auto id : held) {
    holders_.erase(id);
    book_->settle(id, {}, {});
  }
  go_on();
}

bool budget_state::knows(const caf::actor_addr& who) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const waiting_call& each) { return each.asker == who; }) ||
         std::any_of(holders_.begin(), holders_.end(), [&](const auto& each) { return each.second == who; });
}

void budget_state::let_go(const caf::actor_addr& who) {
  if (who && !knows(who))
    self_->demonitor(who);
}

void budget_state::go_on() {
  while (!waiting_.empty()) {
    auto outcome = book_->reserve_model(waiting_.front().call);
    if (!outcome)
      return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (outcome->has_value()) {
      holders_.emplace((*outcome)->id, next.asker);
      next.promise.deliver(std::move(**outcome));
    } else {
      let_go(next.asker);
      next.promise.deliver(to_caf(outcome->error()));
    }
  }
}

budget_actor::behavior_type budget_behavior(budget_actor::stateful_pointer<budget_state> self, ledger book) {
  self->state.begin(std::move(book));
  self->set_down_handler([self](const caf::down_msg& what) { self->state.forget(what.source); });
  return {
      [self](reserve_atom, const call_estimate& call) { return self->state.reserve(call); },
      [self](reserve_atom, std::uint64_t calls) -> caf::result<acknowledgement> {
        if (auto made = self->state.reserve_tools(calls); !made)
          return to_caf(made.error());
        return acknowledgement{};
      },
      [self](settle_atom, std::uint64_t id, const std::string& model, const usage& used) {
        self->state.settle(id, model, used);
      },
  };
}

} // namespace troupe
