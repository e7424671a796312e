#pragma once

#include "libagent/core/tool.hpp"

#include <optional>

namespace troupe::mcp {

/// What the result of `tools/call` (MCP, "Server Features / Tools", "Tool Result") gives a model. Text,
/// images and sounds stay what they are; embedded resources become text, image or sound where they can be,
/// else a note; links and unknown parts become notes. `structuredContent` is added as JSON text unless the
/// text says the same. If `output` is given, structured content that breaks it makes an error result, as does
/// a result that is malformed. `value` is taken apart, so that large texts are not copied.
tool_result to_tool_result(json value, const std::optional<json_schema>& output);

/// The `content` array for a result, for a server to send.
json to_mcp_content(const std::vector<content>& parts);

} // namespace troupe::mcp
