#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::mcp {

/// The bytes that a base64 text stands for (RFC 4648, section 4; padding may be left out, line breaks are
/// skipped), or nothing if it is not base64.
std::optional<std::string> decode_base64(std::string_view text);

} // namespace troupe::mcp
