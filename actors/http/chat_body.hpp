#pragma once

#include "actors/run_requests.hpp"
#include "libagent/core/result.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe::http {

/// Whether a `Content-Type` is JSON: `application/json` or `application/...+json`, in any case, parameters
/// allowed.
bool is_json_media_type(std::string_view content_type) noexcept;

/// Whether an `Accept` asks for `text/event-stream` by name, in any case, with a weight other than 0 and not
/// below that of `application/json`, if it names that too.
bool wants_events(std::optional<std::string_view> accept) noexcept;

/// Reads the body of `POST /api/v1/chat`: `{"prompt", "agent"?, "session_id"?, "stream"?, "context"?,
/// "budget"?, "background"?, "on_disconnect"?, "on_busy"?, "deadline_ms"?}`; fields it does not know are
/// ignored. Errors as `parse_object`; `invalid_argument` names every field that is missing, empty or of the
/// wrong type. Fields that are absent or null stay empty.
result<chat_request> decode_chat(std::string_view body, std::size_t max_depth);

} // namespace troupe::http
