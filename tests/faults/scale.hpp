#pragma once

#include <cstddef>
#include <cstdlib>

namespace troupe::testing {

/// How often something is done: `few` times among the tests, `many` times in the long form.
inline std::size_t scaled(std::size_t few, std::size_t many) {
  return std::getenv("TROUPE_LONG_FAULTS") != nullptr ? many : few;
}

} // namespace troupe::testing
