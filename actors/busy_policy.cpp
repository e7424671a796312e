#include "actors/run_requests.hpp"

namespace troupe {

std::string_view to_string(busy_policy policy) noexcept {
  constexpr std::string_view names[] = {"enqueue", "reject", "interrupt", "rollback"};
  return names[static_cast<std::size_t>(policy) - 1];
}

std::optional<busy_policy> busy_policy_named(std::string_view name) noexcept {
  for (const auto each :
       {busy_policy::enqueue, busy_policy::reject, busy_policy::interrupt, busy_policy::rollback})
    if (to_string(each) == name)
      return each;
  return std::nullopt;
}

} // namespace troupe
