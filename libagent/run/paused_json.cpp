#include "libagent/run/paused_json.hpp"

#include <fmt/format.h>

namespace troupe::run {

json paused_to_json(const state& run) {
  return state_to_json(run);
}

result<state> paused_from_json(const json& value) {
  auto run = state_from_json(value);
  if (!run)
    return fail(errc::malformed, fmt::format("a paused run cannot be read: {}", run.error().detail));
  if (run->at != phase::paused)
    return fail(errc::malformed, "a paused run cannot be read: it is not paused");
  return run;
}

} // namespace troupe::run
