#pragma once

#include "actors/http/event_flow.hpp"
#include "actors/http/server.hpp"
#include "actors/interfaces.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <variant>

namespace troupe::http {

/// The kernel has taken so many bytes of a stream; and: its client is gone.
using written_atom = caf::atom_constant<caf::atom("written")>;
using gone_atom = caf::atom_constant<caf::atom("gone")>;

/// Watches one streamed run and tells its client of it. Ends with the run.
using run_stream_actor = observer_actor::extend<
    // Of the events' data.
    caf::reacts_to<written_atom, std::uint64_t>,
    // Cancels the run.
    caf::reacts_to<gone_atom>>;

/// What such an actor starts with.
struct run_stream_setup {
  request_id id = 0;
  std::weak_ptr<server> way_out;
  sessions_actor sessions;
  /// What to do; with the run's id, and for a prompt also with the session's.
  std::variant<chat_request, resume_request> what;
  /// After this the run is cancelled.
  std::chrono::milliseconds timeout{};
  /// Bytes that may wait for the client before the run is held back.
  std::size_t buffer_bytes = 0;
};

/// Starts the run. The answer begins with the run's first event, or by the server when that is late; a run
/// that fails before is answered as if it were not streamed.
run_stream_actor spawn_run_stream(caf::actor_system& system, run_stream_setup setup);

} // namespace troupe::http
