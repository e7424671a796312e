#pragma once

#include "libagent/model/sse_decoder.hpp"
#include "libagent/model/stream.hpp"

#include <optional>

namespace troupe {

/// A stream decoder that sees events instead of bytes, and none after the first error.
class event_stream_decoder : public stream_decoder {
public:
  result<model_deltas> feed(std::string_view bytes) final;
  /// The error that was met while feeding, else `end()`.
  result<model_response> finish() final;

protected:
  /// Takes the next event; what it adds goes to `out`.
  virtual result<void> take(const sse_event& event, model_deltas& out) = 0;
  virtual result<model_response> end() = 0;

private:
  result<void> take_all(std::string_view bytes, model_deltas& out);

  sse_decoder events_;
  std::optional<error> failed_;
};

} // namespace troupe
