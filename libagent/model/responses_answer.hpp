#pragma once

#include "libagent/model/model.hpp"

namespace troupe::responses {

/// What stands between the parts of a summary, whole or streamed.
inline constexpr std::string_view summary_separator = "\n\n";

/// Reads a response object, as the body of an answer or the last event of a stream has it. Reasoning gets
/// this format.
result<model_response> read_response(const json& answer, const std::string& reasoning_format);

} // namespace troupe::responses
