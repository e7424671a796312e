#pragma once
#include "actors/interfaces.hpp"
#include <functional>
#include <variant>
namespace troupe {
/// A tool given in code.
struct code_tool {
  tool_spec spec;
  std::variant<std::function<tool_result(const tool_invocation&)>, tool_actor> handler;
};
} // namespace troupe
