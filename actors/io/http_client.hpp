#pragma once

#include "libagent/core/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::io {

class reactor;

using header_list = std::vector<std::pair<std::string, std::string>>;

struct http_client_options {
  /// Scheme, host, port and path prefix: "http://..." or "https://...". No user info, no fragment.
  std::string base_url{};
  std::chrono::milliseconds connect_timeout{10'000};
  /// Connections open at once; further requests wait in a queue.
  std::size_t max_connections = 256;
  /// Requests that may wait for a connection to come free; more fail at once with `overloaded`.
  std::size_t max_queue = 4096;
  /// An idle connection is closed after this.
  std::chrono::milliseconds idle_timeout{30'000};
  std::size_t max_response_bytes = 16u << 20;
  std::size_t max_header_bytes = 64u << 10;
  /// Proxies, as in HTTPS_PROXY, HTTP_PROXY and NO_PROXY (or their lower-case forms). `https` targets go
  /// through CONNECT, `http` targets too. Empty: direct.
  std::string https_proxy{};
  std::string http_proxy{};
  std::string no_proxy{};
  /// Further trusted certificates (PEM file) beside the system's store; for tests and private CAs.
  std::string ca_file{};
};

struct http_request {
  std::string method = "POST";
  /// Appended to the base's path, with the query: "/chat/completions?api-version=1".
  std::string target{};
  /// Host, Content-Length, Transfer-Encoding and Connection are the client's own; given here they are left
  /// out.
  header_list headers{};
  std::string body{};
  /// From `send` to the last byte of the answer, waiting in the queue included; from `stream` to the head of
  /// the answer.
  std::chrono::milliseconds timeout{120'000};
};

struct http_response {
  unsigned status = 0;
  header_list headers;
  std::string body;
  /// Value of the first header of that name (case-insensitive), or empty.
  std::string_view header(std::string_view name) const noexcept;
};

/// How a request without an answer ended; `connection_error` tells what is worth another try.
struct http_failure {
  error reason;
  /// Refused, reset, closed, TLS or DNS failure or connect timeout; not a cancellation, an exceeded total
  /// timeout or bound.
  bool connection_error = false;
};

using http_handler = std::function<void(std::optional<http_response>, http_failure)>;
using http_request_id = std::uint64_t;

struct http_stream_options {
  /// Bytes of the body that may be outstanding: handed out and not `consumed` yet. At that many nothing more
  /// is read, so that TCP holds the peer back; the read that reaches it (16 KiB) may pass it.
  std::size_t window = 256u << 10;
  /// Between two reads that bring bytes, once the head has come; stands still while the window is full.
  std::chrono::milliseconds idle_timeout{120'000};
  /// From `stream` to the last byte of the answer, whoever is slow.
  std::chrono::milliseconds total_timeout{600'000};
};

/// What comes of a streamed request. All are called on the reactor's thread (but see the destructor), one at
/// a time, never from inside `stream`, and may be left empty. One that throws ends the stream (`internal`).
struct http_stream_handlers {
  /// Status and headers of the final answer, whatever the status, before any body. Once, unless it failed
  /// before.
  std::function<void(unsigned status, header_list headers)> on_head;
  /// The next bytes of the body, as they arrive, without the transfer coding. Never empty.
  std::function<void(std::string bytes)> on_data;
  /// The end: nothing once the body is complete, else why it is not. Exactly once, last.
  std::function<void(std::optional<http_failure>)> on_end;
};

/// Fills the proxy options from the environment.
void read_proxy_environment(http_client_options& options);

/// A pool of HTTP/1.1 keep-alive connections to one origin, on the reactor. Thread-safe. TLS is verified
/// against the system's store, with host name and SNI. A kept connection that turns out to be closed
/// before any byte of an answer came is replaced by a fresh one once, unseen by the caller.
class http_client {
public:
  /// Error `invalid_argument` for a URL that cannot be used.
  static result<std::unique_ptr<http_client>> make(reactor& io, http_client_options options);
  /// Cancels what is in flight and closes all connections. May be called on any thread, in a handler too.
  /// Handlers get `cancelled` on the calling thread; once this has returned, none is called or running,
  /// except one that it was called from.
  ~http_client();

  /// Returns at once. The handler is called exactly once, on the reactor's thread (but see the destructor),
  /// never from inside `send`. Codes of failures: `io_failed` (no connection, or it broke),
  /// `deadline_exceeded` (`timeout`), `protocol_violation` (not HTTP, or past a bound), `overloaded`,
  /// `cancelled`, `invalid_argument` (a request that cannot be written down).
  http_request_id send(http_request request, http_handler handler);
  /// Like `send`, with the same codes of failures, but tells the answer as it comes. It has a connection to
  /// itself up to its end. A body that is cut short is an `io_failed` with `connection_error`; bytes that
  /// came before are handed out first. `max_response_bytes` bounds the whole body.
  http_request_id stream(http_request request, http_stream_options options, http_stream_handlers handlers);
  /// Says that so many more bytes of a stream's body were dealt with; reading goes on while fewer than
  /// `window` are outstanding. May be called in a handler. Ignored if the stream has ended; more than is
  /// outstanding counts as all of it.
  void consumed(http_request_id id, std::size_t bytes);
  /// Closes the request's connection if it is still in flight; its handler gets `cancelled`. Bytes of a
  /// stream that have been read may come before that.
  void cancel(http_request_id id);
  /// Open connections, busy and idle; for tests and metrics.
  std::size_t open_connections() const;

private:
  class pool;
  explicit http_client(std::shared_ptr<pool> impl);
  std::shared_ptr<pool> impl_;
};

} // namespace troupe::io
