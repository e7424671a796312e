#pragma once

#include "libagent/config/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// All that an agent file has that must not be written anywhere, each with a name of its own: values of
/// variables, API keys of models, headers of models and hooks, query parameters of models that are called
/// like secrets, and variables of MCP servers. Left out is what `is_plain` finds, and what the file also
/// uses as a name. Values that are too short to be looked for are among them.
std::vector<secret> collect_secrets(const configuration& from);

/// Whether a value is for everybody to see, judged by its form and by the name of the setting: a path, a URL
/// without credentials, a date, version or address, a media type, or one word. Nothing is, whose name speaks
/// of keys, tokens, passwords and the like.
bool is_plain(std::string_view name, std::string_view value);

/// A hook's name, or its URL without the query, which may have secrets.
std::string shown_name(const hook_options& hook);

} // namespace troupe::config
