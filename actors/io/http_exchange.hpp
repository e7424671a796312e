#pragma once

#include "actors/io/http_client.hpp"
#include "actors/io/http_stream.hpp"
#include "actors/io/http_url.hpp"
#include "libagent/core/result.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace troupe::io {

class http_connection;

/// One request on its way, from `send` until its handler is called.
struct http_exchange {
  using time_point = std::chrono::steady_clock::time_point;

  http_request_id id = 0;
  /// Request line and header fields, with the empty line that ends them.
  std::string head;
  std::string body;
  /// HEAD has no body in its answer, whatever the answer's fields say.
  bool bodiless_answer = false;
  /// Told the end, of a stream too.
  http_handler handler;
  /// Set if the answer is to be told as it comes.
  std::unique_ptr<http_stream> stream;
  /// For the answer; for the head of a streamed one.
  std::chrono::milliseconds timeout{0};
  time_point deadline;
  /// When the pool will look whether it is overdue; never after `due`.
  time_point watched;
  /// Why it was never sent; set for a request that cannot be written down.
  std::optional<error> rejected;
  /// It has been moved to a fresh connection once, and will not be again.
  bool retried = false;
  /// Where it is in flight, if it is.
  std::weak_ptr<http_connection> connection;

  /// When it is to be given up, as things stand now.
  time_point due(time_point now) const { return stream && stream->begun() ? stream->due(now) : deadline; }
};

/// Writes the request's head for an origin. Host, Content-Length, Transfer-Encoding and Connection are the
/// client's own: fields of these names are left out. Error `invalid_argument` if the method, the target or
/// a field could not be sent as it is (RFC 9112, sections 3 and 5), so nothing can be smuggled in.
result<std::string> make_request_head(const http_url& origin, const http_request& request);

} // namespace troupe::io
