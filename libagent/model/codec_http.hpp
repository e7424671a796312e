#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// The message inside an endpoint's error body (`{"error":{"message"}}`, `{"error":"..."}`, `{"detail":...}`
/// and the like), or the beginning of the body as text; at most 500 characters, control characters removed.
std::string endpoint_error_message(std::string_view body);

/// `Authorization: Bearer KEY` (RFC 6750); nothing if there is no key.
std::vector<std::pair<std::string, std::string>> bearer_headers(std::string_view api_key);

} // namespace troupe
