#pragma once

#include "libagent/model/model.hpp"

#include <string_view>

namespace troupe::anthropic {

/// What the object `message` of the API says, whether it came whole or was put together from a stream. An
/// `input` that is a text is taken as the arguments' text. Error `model_failed`.
result<model_response> read_message(const json& message);

/// Reads the body of a 200 answer that is not streamed. Error `model_failed`.
result<model_response> read_body(std::string_view body);

} // namespace troupe::anthropic
