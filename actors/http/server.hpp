#pragma once

#include "actors/caller.hpp"
#include "actors/http/api.hpp"
#include "actors/http/sse.hpp"
#include "libagent/core/redactor.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace troupe::io {
class reactor;
}

namespace troupe {
class memory_watch;
class metrics;
} // namespace troupe

namespace troupe::http {

class gate;

/// The wire side of the front end: RESTinio's connections on the reactor. Knows no actor. Answers by itself
/// what `api` decides at once; calls are handed out and answered later. All methods are thread-safe and
/// return at once. What is open lives on the reactor and goes down with it, whichever of the two is destroyed
/// first.
class server {
public:
  /// All are called on the reactor's thread; `on_closed` last and exactly once, and in the destructor of the
  /// reactor's context if it is gone first.
  struct handlers {
    /// The port that is listened on, or why there is none; `on_closed` follows in that case.
    std::function<void(result<std::uint16_t>)> on_opened;
    /// A call to be answered, and on whose behalf. False: there is nobody left to answer it.
    std::function<bool(request_id, call, caller)> on_call;
    /// So many bytes of events' data on that stream were handed to the kernel.
    std::function<void(request_id, std::size_t)> on_written;
    /// The client of a streamed call went away before its answer was complete.
    std::function<void(request_id)> on_gone;
    std::function<void()> on_closed;
  };

  /// Starts to listen. `keep_alive`: how long a stream may be quiet before a comment is written to it.
  /// `memory` may be null. `hides` keeps secrets out of all that is answered.
  server(io::reactor& io, const config::server_options& options, std::chrono::milliseconds keep_alive,
         std::shared_ptr<const api> decisions, std::shared_ptr<metrics> counted,
         std::shared_ptr<memory_watch> memory, handlers events, redactor_ptr hides = nothing_to_hide());
  /// Stops with no grace.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Answers a call. Ignored if the request is gone meanwhile. A stream that has begun ends with
  /// `run_failed`.
  void reply(request_id id, answer value);

  // Answers a streamed call, by any number of writes between the other two. Ignored likewise.
  void begin_stream(request_id id);
  void write(request_id id, sse_event event);
  void end_stream(request_id id);

  /// Stops accepting and closes idle connections at once, waits for the answers owed for as long as `grace`,
  /// answers 503 to the rest, or ends it with `run_failed`, and closes. A later call may shorten the grace.
  void stop(std::chrono::milliseconds grace);

private:
  std::shared_ptr<gate> gate_;
  redactor_ptr hides_;
};

} // namespace troupe::http
