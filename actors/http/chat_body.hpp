#pragma once

#include "actors/messages.hpp"
#include "libagent/core/result.hpp"

#include <cstddef>
#include <string_view>

namespace troupe::http {

/// Whether a `Content-Type` is JSON: `application/json` or `application/...+json`, in any case, parameters
/// allowed.
bool is_json_media_type(std::string_view content_type) noexcept;

/// Reads the body of `POST /api/v1/chat`: `{"prompt", "agent"?, "session_id"?}`; fields it does not know are
/// ignored. `malformed` if it is not JSON, not UTF-8, nested too deep or empty; `invalid_argument` names
/// every field that is missing, empty or of the wrong type. Fields that are absent or null stay empty.
result<chat_request> decode_chat(std::string_view body, std::size_t max_depth);

} // namespace troupe::http
