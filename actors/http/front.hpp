#pragma once

#include "actors/http/defaults.hpp"
#include "actors/interfaces.hpp"
#include "libagent/config/config.hpp"
#include "libagent/core/redactor.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::io {
class reactor;
}

namespace troupe {

class memory_watch;
class metrics;

/// What the front end serves.
struct http_backend {
  sessions_actor sessions;
  /// Names in the agent file's order.
  std::vector<std::string> agents;
  std::vector<std::pair<std::string, mcp_server_actor>> mcp_servers;
  /// How long a run may take once it has begun.
  std::chrono::milliseconds run_timeout{300'000};
  /// How long it may wait before that. Past both the client is answered 504, and the run is cancelled.
  std::chrono::milliseconds queue_wait = http::defaults::queue_wait;
  /// Knows how all of it is; may be null.
  supervisor_actor supervisor{};
  /// Keeps secrets out of all answers; taken once, when the front end starts.
  redactor_ptr hides = nothing_to_hide();
  /// Where it counts; null: for itself. Whom to ask how much memory there is; null: nobody.
  std::shared_ptr<metrics> counted{};
  std::shared_ptr<memory_watch> memory{};
};
using http_backend_ptr = std::shared_ptr<const http_backend>;

/// Starts a front end again that was lost, to serve this at the port that it had. Any thread.
struct front_maker {
  std::function<http_front_actor(http_backend, std::uint16_t port)> make;
};

/// Bounds of streamed answers.
struct http_streaming {
  /// How long a stream may be quiet before a comment is written to it.
  std::chrono::milliseconds keep_alive = http::defaults::sse_keep_alive;
  /// Bytes of events that a client has not taken yet, past which its run is held back.
  std::size_t buffer_bytes = http::defaults::sse_buffer_bytes;
};

/// Starts a REST front end and returns at once, from any thread and from inside any actor's handler. Ask it
/// for its port to learn when it is ready. It lives until it is stopped, or until nobody holds its handle.
/// The reactor must outlive it.
http_front_actor spawn_http_front(caf::actor_system& system, io::reactor& io, config::server_options options,
                                  http_backend backend, http_streaming streaming = {});

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::http_backend_ptr)
