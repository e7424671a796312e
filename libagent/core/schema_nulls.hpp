#pragma once

#include "libagent/core/json.hpp"

namespace troupe {

/// The schema that a local reference leads to; null if it has none or it leads nowhere.
const json* referred_schema(const json& root, const json& schema);

/// Whether null is valid by the schema.
bool allows_null(const json& root, const json& schema);

/// Whether the object schema requires the property.
bool requires_property(const json& schema, const std::string& name);

} // namespace troupe
