#pragma once

#include "libagent/model/history.hpp"

#include <string_view>
#include <vector>

namespace troupe {

/// What stands for the output of a call that has none: the process died in between.
inline constexpr std::string_view interrupted_call = "The call was interrupted; there is no result.";

/// For each item that is a call, its output, which lives as long as the history; null for all else. An id
/// that a later turn uses again (some endpoints count from zero each time) no longer stands for the earlier
/// turn's call.
std::vector<const tool_output*> match_outputs(const history_view& history);

/// Whether the item came from a model: a text, a call or reasoning. Neighbours of that kind are one turn.
bool is_from_model(const item& value) noexcept;

/// The one text that the output consists of, else null.
const std::string* sole_text(const tool_output& output) noexcept;

/// The image as a URL with the bytes in it (RFC 2397).
std::string data_url(const image_content& image);

/// Whether a tool of that name is in the list, which may be null. Endpoints refuse the choice of one that is
/// not, which happens while its MCP server is down.
bool is_offered(const shared_tools& tools, std::string_view name) noexcept;

} // namespace troupe
