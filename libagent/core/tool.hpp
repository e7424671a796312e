#pragma once

#include "libagent/core/content.hpp"
#include "libagent/core/json_schema.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// What a tool is called and takes, as a model is told.
struct tool_spec {
  std::string name;
  std::string description;
  /// JSON Schema of the arguments, always of type object.
  json_schema input;
  /// Its owner says that a second call with the same arguments does no more than the first (MCP 2025-06-18,
  /// `readOnlyHint` and `idempotentHint`).
  bool is_repeatable = false;
};

/// A tool list as its owner (an MCP server, an agent definition) publishes it; never changed, only replaced.
using tool_list = std::vector<tool_spec>;
using shared_tools = std::shared_ptr<const tool_list>;

/// What came of a call. A tool's failure is a result too: the model reads it and may correct itself.
struct tool_result {
  std::vector<content> parts;
  bool is_error = false;

  static tool_result text(std::string value) { return {{text_content{std::move(value)}}, false}; }
  static tool_result failure(std::string reason) { return {{text_content{std::move(reason)}}, true}; }
  friend bool operator==(const tool_result&, const tool_result&) = default;
};

/// A name that model endpoints accept ([A-Za-z0-9_-], 1 to 64 characters): other characters become `_`,
/// too long a name is cut and ends in a hash of the whole.
std::string safe_tool_name(std::string_view name);

} // namespace troupe
