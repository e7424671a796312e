#pragma once

#include "libagent/core/json.hpp"

#include <vector>

namespace troupe::run {

/// The record of a server that ends in order before the run does. It has the member of a takeover, so that
/// who does not know of it passes over it.
json handover_record();

/// So often a server has ended in the middle of a run, other than in order, by the run's records: the last
/// one too, whose run it is that is to be taken up.
unsigned crashes(const std::vector<json>& records);

} // namespace troupe::run
