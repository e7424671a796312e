#pragma once

#include "libagent/core/tool.hpp"
#include "libagent/run/toolbox.hpp"

#include <string>

namespace troupe::run {

/// The arguments that a model wrote, as an object that fits the tool. The error's detail is for the model to
/// correct itself from.
result<json> read_arguments(const tool_spec& tool, const std::string& text);

/// What a model is told that calls a tool which is not there.
std::string unknown_tool(const toolbox& tools, const std::string& name);

/// The result with at most `max_bytes` of content: texts are cut with a note, other parts become a note.
tool_result bounded(tool_result result, std::size_t max_bytes);

} // namespace troupe::run
