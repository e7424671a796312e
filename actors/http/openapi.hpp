#pragma once

#include "libagent/core/json.hpp"

namespace troupe::http {

/// The routes as an OpenAPI 3.1 document; with what who asks has to show, if anything.
json openapi_document(bool is_guarded = false);

} // namespace troupe::http
