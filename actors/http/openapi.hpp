#pragma once

#include "libagent/core/json.hpp"

namespace troupe::http {

/// The routes as an OpenAPI 3.1 document.
json openapi_document();

} // namespace troupe::http
