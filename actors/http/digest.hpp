#pragma once

#include <string>
#include <string_view>

namespace troupe::http {

/// SHA-256, in hexadecimal digits.
std::string sha256(std::string_view text);

} // namespace troupe::http
