#pragma once

#include "libagent/config/text_places.hpp"
#include "libagent/config/tree_builder.hpp"

namespace troupe::config {

/// Whether the text is a JSON object or array (RFC 8259).
bool is_json(std::string_view text);

/// Reads a text that `is_json` into the builder: YAML parsers do not take all of JSON (surrogate pairs, a
/// line break before a colon). Throws `tree_builder::stop` like the builder.
void parse_json_events(const text_places& text, tree_builder& builder);

} // namespace troupe::config
