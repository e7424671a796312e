#pragma once

#include "libagent/core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One event of a stream of media type text/event-stream.
struct sse_event {
  /// What `event:` said; empty if it said nothing.
  std::string name;
  /// The `data:` lines, joined by line feeds.
  std::string data;
  friend bool operator==(const sse_event&, const sse_event&) = default;
};

/// Reads a stream of server-sent events (WHATWG HTML, section 9.2.6) as its bytes come in, cut anywhere.
/// Comments, `id:`, `retry:` and events without data are passed over, and so is an event that the end of the
/// body cuts off. The bytes are not checked for UTF-8. Not thread-safe.
class sse_decoder {
public:
  /// Far above any delta; a completed event of the Responses API holds a whole answer.
  static constexpr auto default_max_event_bytes = std::size_t{16} << 20;

  explicit sse_decoder(std::size_t max_event_bytes = default_max_event_bytes)
      : max_event_bytes_(max_event_bytes) {}

  /// The events that are complete with these bytes. Error `model_failed` if one grows beyond the limit;
  /// nothing is to be fed after it.
  result<std::vector<sse_event>> feed(std::string_view bytes);

private:
  std::string_view skip_mark(std::string_view bytes);
  void end_line(std::vector<sse_event>& events);
  void take_field(std::string_view line);

  std::size_t max_event_bytes_;
  /// How much of the byte order mark at the very beginning came; its length if it is settled.
  std::size_t mark_ = 0;
  /// A CR ended the last line, so that an LF right after it belongs to it.
  bool after_cr_ = false;
  bool has_data_ = false;
  std::string line_;
  sse_event event_;
};

} // namespace troupe
