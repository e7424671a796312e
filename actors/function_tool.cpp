#include "actors/function_tool.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <fmt/format.h>

namespace troupe {

namespace {

tool_result run_guarded(const tool_function& run, const tool_invocation& call) {
  try {
    return run(call);
  } catch (const std::exception& failure) {
    return tool_result::failure(
        fmt::format("Error: the tool '{}' failed: {}", call.tool, to_utf8(failure.what())));
  } catch (...) {
    return tool_result::failure(fmt::format("Error: the tool '{}' failed.", call.tool));
  }
}

} // namespace

tool_actor::behavior_type function_tool_call(tool_actor::pointer self, tool_function run) {
  return {[self, run = std::move(run)](const tool_invocation& call) {
    self->quit();
    return run_guarded(run, call);
  }};
}

} // namespace troupe
