#include "libagent/model/codec_stream.hpp"

namespace troupe {

result<model_deltas> event_stream_decoder::feed(std::string_view bytes) {
  auto out = model_deltas{};
  auto taken = take_all(bytes, out);
  if (taken)
    return out;
  failed_ = taken.error();
  return *failed_;
}

result<void> event_stream_decoder::take_all(std::string_view bytes, model_deltas& out) {
  if (failed_)
    return *failed_;
  const auto events = events_.feed(bytes);
  if (!events)
    return events.error();
  for (const auto& event : *events)
    if (auto taken = take(event, out); !taken)
      return taken;
  return {};
}

result<model_response> event_stream_decoder::finish() {
  if (failed_)
    return *failed_;
  return end();
}

} // namespace troupe
