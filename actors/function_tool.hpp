#pragma once

#include "actors/tools.hpp"

namespace troupe {

/// One call of a function tool: runs the function for the one message it gets, answers, and quits. An
/// exception ends this actor only, as an error result.
tool_actor::behavior_type function_tool_call(tool_actor::pointer self, tool_function run);

} // namespace troupe
