#pragma once

#include "actors/http/answer.hpp"
#include "actors/run_requests.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Server-sent events (WHATWG HTML, section 9.2), as streamed runs are told in.
namespace troupe::http {

struct sse_event {
  std::string name;
  /// JSON text, which has no line breaks.
  std::string data;
  /// Its number among the run's events, from 1; 0 if it is none that a client could go on from.
  std::uint64_t id = 0;
};

/// The last event of a stream: `run_completed`, or `approval_required` for a paused run, with the body that
/// the same reply has when it is not streamed.
sse_event last_event(const chat_reply& reply);
/// The same of a run that is over or paused.
sse_event last_event(const run_record& run);

/// The last event of a stream that fails: `run_failed` with the refusal's body and its `status`.
sse_event last_event(const answer& refusal);

/// Adds the event as it goes over the wire.
void append_sse(std::string& text, const sse_event& event);

/// A comment, which clients ignore.
inline constexpr std::string_view sse_keep_alive_comment = ": keep-alive\n\n";

} // namespace troupe::http
