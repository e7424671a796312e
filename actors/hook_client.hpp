#pragma once

#include "actors/interfaces.hpp"
#include "libagent/config/config.hpp"
#include "libagent/core/redactor.hpp"

#include <memory>

namespace troupe::io {
class http_client;
class reactor;
} // namespace troupe::io

namespace troupe {

using hook_client_box = std::shared_ptr<std::unique_ptr<io::http_client>>;

/// The connections for a hook. Error `invalid_argument` for a URL that cannot be used.
result<hook_client_box> make_hook_client(io::reactor& io, const config::hook_options& options);

/// Tells a URL of points in runs: POST of `{"point","run_id","session_id","agent", ...}` with the point's
/// facts beside. A status of 200 to 299 lets the run go on; any other, or none within the hook's timeout, is
/// the hook's failure. A request whose asker ends is cancelled.
hook_actor spawn_hook_client(caf::actor_system& system, const config::hook_options& options,
                             hook_client_box client, redactor_ptr hides = nothing_to_hide());

} // namespace troupe
