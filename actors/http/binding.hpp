#pragma once

#include "libagent/config/config.hpp"
#include "libagent/core/result.hpp"

#include <string>

namespace troupe::http {

/// Whether to listen there: where other machines reach it, somebody has to say who may ask, or that all may.
/// Error `invalid_config` says what to do.
result<void> may_listen(const config::server_options& options);

/// What the operator should know of a server that listens as it is told to; empty if nothing.
std::string warning_of(const config::server_options& options);

} // namespace troupe::http
