#pragma once

#include "libagent/model/anthropic.hpp"

#include <string>

namespace troupe::anthropic {

/// The request body as JSON text, fields always in the same order; text that is not UTF-8 is repaired.
/// `make_anthropic_codec` says what is mended.
std::string encode_request(const model_request& request, const wire_options& options, bool streamed);

} // namespace troupe::anthropic
