#include "libagent/run/takeovers.hpp"

namespace troupe::run {

json handover_record() {
  return {{"takeover", false}};
}

unsigned crashes(const std::vector<json>& records) {
  unsigned count = 0;
  bool is_in_order = false;
  for (const auto& record : records)
    if (const auto* takeover = find(record, "takeover"); takeover != nullptr) {
      const bool is_takeover = *takeover != false;
      // The server before that one had ended, and had not said so.
      count += is_takeover && !is_in_order;
      is_in_order = !is_takeover;
    }
  return count + !is_in_order;
}

} // namespace troupe::run
