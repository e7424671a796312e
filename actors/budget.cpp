#include "actors/budget.hpp"

#include <memory>

namespace troupe {

budget_actor::behavior_type budget_behavior(budget_actor::pointer, ledger book) {
  const auto kept = std::make_shared<ledger>(std::move(book));
  return {
      [kept](reserve_atom, const call_estimate& call) -> caf::result<reservation> {
        auto made = kept->reserve_model(call);
        if (!made)
          return to_caf(made.error());
        return *made;
      },
      [kept](reserve_atom, std::uint64_t calls) -> caf::result<acknowledgement> {
        if (auto made = kept->reserve_tools(calls); !made)
          return to_caf(made.error());
        return acknowledgement{};
      },
      [kept](settle_atom, std::uint64_t id, const std::string& model, const usage& used) {
        kept->settle(id, model, used);
      },
  };
}

} // namespace troupe
