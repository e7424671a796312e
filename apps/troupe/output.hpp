#pragma once

#include <string_view>

namespace troupe::cli {

/// Writes to stdout, at once. False, and a word on stderr, if that cannot be done.
bool print(std::string_view text);

} // namespace troupe::cli
