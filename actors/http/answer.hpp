#pragma once

#include "actors/messages.hpp"
#include "libagent/core/json.hpp"
#include "libagent/core/result.hpp"

#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

/// What the client gets.
struct answer {
  unsigned status = 200;
  /// JSON text, or empty for an answer without a body.
  std::string body;
  /// Beside those that every answer has.
  std::vector<std::pair<std::string_view, std::string>> headers;
  /// Closes the connection afterwards.
  bool close = false;
};

answer succeed(const json& body);

/// `{"detail":{"error","code","session_id"?}}`; the session is left out where it is empty.
answer refuse(unsigned status, std::string_view code, std::string_view message,
              std::string_view session_id = {});

/// The same for a failure inside: its code decides on the status. 429 and 503 come with `Retry-After`.
answer refuse(const error& reason, std::string_view session_id = {});

/// The status for a failure.
unsigned status_of(errc code) noexcept;

/// `{"result","session_id","agent"}`.
answer show(const chat_reply& reply);

/// `{"session_id","agent","items"}`; `agent` is null before the first run.
answer show(std::string_view session_id, const session_record& session);

/// `{"servers":[...]}`.
answer show(const std::vector<mcp_status>& servers);

/// Status line and headers as they go over the wire, the empty line included. `date` as `http_date` writes
/// it.
std::string render_head(const answer& value, bool keep_alive, std::string_view date);

/// A time as in the header `Date` (RFC 9110, section 5.6.7).
std::string http_date(std::time_t when);

} // namespace troupe::http
