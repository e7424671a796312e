#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::auth {

/// The bytes that a base64url text stands for (RFC 7515, section 2: no padding, no blanks). Each text of
/// bytes has one form only: bits that do not count have to be 0.
std::optional<std::string> decode_base64url(std::string_view text);
std::string encode_base64url(std::string_view bytes);

} // namespace troupe::auth
