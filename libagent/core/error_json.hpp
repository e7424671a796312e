#pragma once

#include "libagent/core/json.hpp"

#include <optional>

namespace troupe {

/// `{"code","detail","facts"?}`, as kept in a store, and back. A code that this version does not know is
/// `internal`; nothing if it is no such object.
json to_json(const error& value);
std::optional<error> error_from_json(const json& value);

} // namespace troupe
