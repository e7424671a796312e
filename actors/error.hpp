#pragma once

#include "libagent/core/result.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>

namespace troupe {

/// Category of Troupe's codes in `caf::error`.
inline constexpr caf::atom_value error_category = caf::atom("troupe");

/// The error as CAF carries it: the code in the category "troupe", the whole as its context.
caf::error to_caf(const error& reason);

/// Back again. CAF's own errors are translated: a request that timed out is `deadline_exceeded`, a receiver
/// that is gone is `shutting_down`, all else is `internal` with CAF's name for it.
error from_caf(const caf::error& reason);

/// The same for a failed request to a model: that its actor is gone, or ended by an exception, is
/// `model_unavailable`.
error model_error(std::string_view model, const caf::error& reason);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::error)
