#pragma once

#include "libagent/model/stream.hpp"

#include <memory>

namespace troupe::anthropic {

/// Reads the events of a streamed message. They are put together to the message that would have come without
/// streaming, so that one reader serves both; unknown events, blocks and deltas are passed over.
std::unique_ptr<stream_decoder> make_message_stream();

} // namespace troupe::anthropic
