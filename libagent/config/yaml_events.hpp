#pragma once

#include "libagent/config/text_places.hpp"
#include "libagent/config/tree_builder.hpp"

namespace troupe::config {

/// Parses one YAML document into the builder. Syntax errors are reported through it. Throws
/// `tree_builder::stop` when the text cannot be read on.
void parse_yaml(const text_places& text, tree_builder& builder);

} // namespace troupe::config
