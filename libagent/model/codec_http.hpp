#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// The message inside an endpoint's error body (`{"error":{"message"}}`, `{"error":"..."}`, `{"detail":...}`
/// and the like), or the beginning of the body as text; at most 500 characters, control characters removed.
std::string endpoint_error_message(std::string_view body);

// The two steps of it, for who has to look for secrets in between: half a secret is not found any more.

/// The message as it came, well-formed UTF-8, far longer than what is shown of it.
std::string endpoint_error_text(std::string_view body);
/// Its first 500 characters, control characters removed. The text must be well-formed UTF-8.
std::string shorten_error(std::string_view text);

/// `Authorization: Bearer KEY` (RFC 6750); nothing if there is no key.
std::vector<std::pair<std::string, std::string>> bearer_headers(std::string_view api_key);

} // namespace troupe
