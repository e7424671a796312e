#pragma once

#include "actors/mcp_status.hpp"
#include "actors/run_requests.hpp"
#include "libagent/core/json.hpp"
#include "libagent/core/result.hpp"
#include "libagent/session/store.hpp"

#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

/// Names and values of headers.
using header_lines = std::vector<std::pair<std::string_view, std::string>>;

/// What the client gets.
struct answer {
  unsigned status = 200;
  /// JSON text, unless `type` says otherwise; empty for an answer without a body.
  std::string body;
  /// Beside those that every answer has.
  header_lines headers;
  /// Closes the connection afterwards.
  bool close = false;
  /// The body's `Content-Type`.
  std::string_view type = "application/json";
};

inline constexpr std::string_view events_type = "text/event-stream";

answer succeed(const json& body);

/// `{"detail":{"error","code","session_id"?}}`; the session is left out where it is empty.
answer refuse(unsigned status, std::string_view code, std::string_view message,
              std::string_view session_id = {});

/// The same for a failure inside, with `run_id` if there is one, and with the error's facts beside these; a
/// fact named `run_id` wins. The code decides on the status. 429 and 503 come with `Retry-After`.
answer refuse(const error& reason, std::string_view session_id = {}, std::string_view run_id = {});

/// The status for a failure.
unsigned status_of(errc code) noexcept;

/// 200 with `{"result","session_id","agent","run_id","usage"}`, where `result` is JSON if the agent has an
/// output schema; 202 with `{"status":"paused","run_id","interruptions","session_id","agent","usage"}` for a
/// paused run.
answer show(const chat_reply& reply);

/// `{"run_id","session_id","status","agent","items","usage"}`, and of `result`, `error` and `interruptions`
/// what the run has.
answer show(const run_record& run, unsigned status = 200);

/// `{"session_id","agent","items","usage"}`; `agent` is null before the first run.
answer show(std::string_view session_id, const session_record& session);

/// `{"servers":[...]}`.
answer show(const std::vector<mcp_status>& servers);

/// `{"version","uptime_s","tree"}`, where the tree is a node: `{"name","kind","state","restarts"}` and what
/// else is known of it, with its `children`.
answer show(const system_status& system);

/// A breaker as answers have it.
json to_json(const breaker_status& breaker);

/// What HEAD gets where GET would get a stream of events.
answer head_of_stream();

/// Status line and headers as they go over the wire, the empty line included. `date` as `http_date` writes
/// it.
std::string render_head(const answer& value, bool keep_alive, std::string_view date);

/// The same for an answer whose body is a stream of events, in chunks or until the connection is closed.
std::string render_stream_head(bool chunked, bool keep_alive, std::string_view date,
                               const header_lines& more = {});

/// A time as in the header `Date` (RFC 9110, section 5.6.7).
std::string http_date(std::time_t when);

} // namespace troupe::http
