#pragma once

#include "libagent/core/json.hpp"

#include <optional>
#include <string_view>

namespace troupe::auth {

/// The JSON object that a text is; nothing if it is none, nests deeper, or says something twice, which two
/// readers could understand in two ways (RFC 7515, section 4; RFC 7519, section 4).
std::optional<json> parse_unique(std::string_view text, std::size_t max_depth);

} // namespace troupe::auth
