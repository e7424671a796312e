#pragma once

#include <string>
#include <string_view>

namespace troupe::config {

/// What is wrong with the base of an endpoint's address, as "<problem>; <what would be right>" without any
/// part of the address, or an empty text.
std::string problem_of_base_url(std::string_view url);

/// Whether the text is a header field's name (RFC 9110 5.6.2, token).
bool is_header_name(std::string_view name);

} // namespace troupe::config
