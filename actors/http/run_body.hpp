#pragma once

#include "actors/run_requests.hpp"
#include "libagent/core/result.hpp"

#include <cstddef>
#include <string_view>

namespace troupe::http {

/// Reads the body of `POST /api/v1/runs/{run_id}/resume`: `{"decisions":[...], "stream"?}`; `run_id` stays
/// empty. Errors as `parse_object`; `invalid_argument` names what is wrong, a decision by its index.
result<resume_request> decode_resume(std::string_view body, std::size_t max_depth);

/// Reads the body of `POST /api/v1/runs/{run_id}/cancel`: `{"mode":"at_once"|"after_turn"}`, or nothing for
/// the former.
result<cancel_mode> decode_cancel(std::string_view body, std::size_t max_depth);

} // namespace troupe::http
