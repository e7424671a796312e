#pragma once

#include "actors/http/server.hpp"
#include "actors/interfaces.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <variant>

namespace troupe::http {

/// The kernel has taken so many bytes of a stream; its client is gone; it is gone, and others read the same.
using written_atom = caf::atom_constant<caf::atom("written")>;
using gone_atom = caf::atom_constant<caf::atom("gone")>;
using left_atom = caf::atom_constant<caf::atom("left")>;

/// Reads the events of one run from its log and tells its client of them. Ends with the run, or the client.
using run_stream_actor = caf::typed_actor<
    // Of the events' data.
    caf::reacts_to<written_atom, std::uint64_t>,
    // Cancels the run if that is wanted.
    caf::reacts_to<gone_atom>,
    // Cancels nothing.
    caf::reacts_to<left_atom>>;

/// Reads along with a run that was started before.
struct follow_run {
  std::string run_id;
  /// The last event that the client has.
  std::uint64_t last_event = 0;
  caller by;
};

/// What such an actor starts with.
struct run_stream_setup {
  request_id id = 0;
  std::weak_ptr<server> way_out;
  sessions_actor sessions;
  /// What to do; with the run's id, and for a prompt also with the session's.
  std::variant<chat_request, resume_request, follow_run> what;
  /// Whether a client that goes away cancels the run.
  bool cancels = true;
  /// After this the run is cancelled.
  std::chrono::milliseconds timeout{};
  /// Bytes that may wait for the client before no more events are read.
  std::size_t buffer_bytes = 0;
};

/// Starts the run, if there is one to start. The answer begins with the run's first event, or by the server
/// when that is late; a run that fails before is answered as if it were not streamed.
run_stream_actor spawn_run_stream(caf::actor_system& system, run_stream_setup setup);

} // namespace troupe::http
