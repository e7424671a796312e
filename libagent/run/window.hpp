#pragma once

#include "libagent/core/item.hpp"

#include <cstddef>

namespace troupe::run {

/// What of a long conversation a run begins with: at most `most` items, the newest. They begin with something
/// that a user said, so that no call is parted from its result and no answer from its question; where a
/// single question has had more items than that, it is kept with the last of them. What is left out grows in
/// steps of a quarter of `most`, so that conversations begin alike for some time, and what endpoints keep of
/// them stays of use. A conversation that is short enough is returned as it is.
shared_items newest_items(shared_items all, std::size_t most);

} // namespace troupe::run
