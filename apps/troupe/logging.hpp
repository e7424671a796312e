#pragma once

#include "apps/troupe/command_line.hpp"

namespace troupe::cli {

/// Makes spdlog write to stderr, in the form and from the level that the options ask for. `default_level` is
/// used where they name none.
void set_up_logging(const common_options& options, const char* default_level);

} // namespace troupe::cli
