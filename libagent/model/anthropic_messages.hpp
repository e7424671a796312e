#pragma once

#include "libagent/model/model.hpp"

#include <string>

namespace troupe::anthropic {

/// Whether the API takes thinking with this history: if calls were made since the user last spoke, a block of
/// thinking has to come before them.
bool allows_thinking(const model_request& request);

/// Appends the array `messages`: turns of user and assistant in strict alternation, the user's first and
/// last. `thinking` says whether blocks of thinking are given back.
void append_messages(std::string& out, const model_request& request, bool image_input, bool thinking);

} // namespace troupe::anthropic
