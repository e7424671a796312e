#include "actors/stored_run_json.hpp"
#include "tests/fuzz/target.hpp"

namespace troupe::fuzz {

void stored_run(std::string_view input) {
  const auto lines = lines_of(input);
  troupe::stored_run kept;
  kept.run_id = "r";
  kept.session_id = "s";
  kept.status = "completed";
  kept.request = lines.front();
  kept.outcome = lines.size() > 1 ? lines[1] : lines.front();
  if (const auto request = request_from_stored(kept)) {
    auto again = kept;
    again.request = to_stored(*request);
    const auto second = request_from_stored(again);
    expect(second && to_stored(*second) == again.request, "a request is written as it is read");
  }
  if (const auto record = record_from_stored(kept)) {
    auto again = kept;
    again.outcome = to_stored(*record).outcome;
    const auto second = record_from_stored(again);
    expect(second && to_stored(*second).outcome == again.outcome, "an outcome is written as it is read");
    (void)reply_of(*record);
  }
}

} // namespace troupe::fuzz
