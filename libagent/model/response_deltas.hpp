#pragma once

#include "libagent/model/stream.hpp"

namespace troupe {

/// What a finished answer would have grown by, had it been streamed: texts word by word, each with the white
/// space that follows it; a thought in one piece, and so the arguments of a call. For models that do not
/// stream. Put together again, the deltas give the answer's texts and calls.
model_deltas to_deltas(const model_response& response);

} // namespace troupe
