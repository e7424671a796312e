#pragma once

#include "actors/run_requests.hpp"
#include "libagent/run/machine.hpp"
#include "libagent/session/store.hpp"

#include <memory>
#include <string>

namespace troupe {

/// A paused run with what its session has to know of it. docs/paused-runs.md describes its stored form.
struct paused_session_run {
  std::string run_id;
  std::shared_ptr<const run::state> state;
  /// What its request allowed it to spend.
  budget spending;
  /// So many of its items are the session's already.
  std::size_t saved = 0;
};

paused_run to_stored(const paused_session_run& run);
/// Error `store_failed` for what cannot be read.
result<paused_session_run> from_stored(const paused_run& stored);
/// Whether it is sound, but only a newer version can read it.
bool is_of_newer_version(const paused_run& stored);

/// The run as clients see it.
run_record record_of(const paused_session_run& run, const std::string& session_id);

} // namespace troupe
