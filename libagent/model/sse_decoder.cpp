#include "libagent/model/sse_decoder.hpp"

#include <fmt/format.h>

namespace troupe {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

} // namespace

/// Takes the byte order mark off the beginning of the stream, which may come in pieces.
std::string_view sse_decoder::skip_mark(std::string_view bytes) {
  while (mark_ < byte_order_mark.size() && !bytes.empty()) {
    if (bytes.front() != byte_order_mark[mark_]) {
      line_ = byte_order_mark.substr(0, mark_);
      mark_ = byte_order_mark.size();
      break;
    }
    ++mark_;
    bytes.remove_prefix(1);
  }
  return bytes;
}

result<std::vector<sse_event>> sse_decoder::feed(std::string_view bytes) {
  auto events = std::vector<sse_event>{};
  bytes = skip_mark(bytes);
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = bytes.find_first_of("\r\n");
    const auto piece = bytes.substr(0, end);
    if (piece.size() > max_event_bytes_ ||
        line_.size() + event_.data.size() + event_.name.size() > max_event_bytes_ - piece.size())
      return fail(errc::model_failed,
                  fmt::format("an event of the stream is larger than {} bytes", max_event_bytes_));
    line_ += piece;
    if (end == std::string_view::npos)
      break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(events);
  }
  return events;
}

void sse_decoder::end_line(std::vector<sse_event>& events) {
  if (!line_.empty()) {
    take_field(line_);
    line_.clear();
    return;
  }
  if (has_data_)
    events.push_back(std::move(event_));
  event_ = {};
  has_data_ = false;
}

void sse_decoder::take_field(std::string_view line) {
  const auto colon = line.find(':');
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ')
    value.remove_prefix(1);
  if (field == "event") {
    event_.name = value;
  } else if (field == "data") {
    if (std::exchange(has_data_, true))
      event_.data += '\n';
    event_.data += value;
  }
}

} // namespace troupe
