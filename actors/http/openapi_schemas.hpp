#pragma once

#include "libagent/core/json.hpp"

#include <string_view>

/// JSON Schemas (draft 2020-12) for the OpenAPI document.
namespace troupe::http::schemas {

json text();
json text_or_null();
json session_id();
json list_of(json items);
/// An object all of whose fields are always there.
json record(json properties);
/// A schema of `all`, by its name.
json reference(std::string_view name);

/// Those that have names.
json all();

} // namespace troupe::http::schemas
