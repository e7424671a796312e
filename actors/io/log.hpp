#pragma once

#include <spdlog/logger.h>

namespace troupe {

/// Where Troupe logs: spdlog's logger named "troupe". Register one of that name before the first actor of
/// Troupe's is spawned to have the log go elsewhere; else it is made to write warnings and worse to stderr.
/// Any thread.
spdlog::logger& log();

} // namespace troupe
