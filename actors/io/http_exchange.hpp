#pragma once

#include "actors/io/http_client.hpp"
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
  http_request_id id = 0;
  /// Request line and header fields, with the empty line that ends them.
  std::string head;
  std::string body;
  /// HEAD has no body in its answer, whatever the answer's fields say.
  bool bodiless_answer = false;
  http_handler handler;
  std::chrono::milliseconds timeout{0};
  std::chrono::steady_clock::time_point deadline;
  /// Why it was never sent; set for a request that cannot be written down.
  std::optional<error> rejected;
  /// It has been moved to a fresh connection once, and will not be again.
  bool retried = false;
  /// Where it is in flight, if it is.
  std::weak_ptr<http_connection> connection;
};

/// Writes the request's head for an origin. Host, Content-Length, Transfer-Encoding and Connection are the
/// client's own: fields of these names are left out. Error `invalid_argument` if the method, the target or
/// a field could not be sent as it is (RFC 9112, sections 3 and 5), so nothing can be smuggled in.
result<std::string> make_request_head(const http_url& origin, const http_request& request);

} // namespace troupe::io
