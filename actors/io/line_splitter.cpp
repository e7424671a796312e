#include "actors/io/line_splitter.hpp"

#include <utility>

namespace troupe::io {

line_splitter::line_splitter(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

bool line_splitter::feed(std::string_view bytes, std::vector<std::string>& lines) {
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    auto piece = bytes.substr(0, end);
    // The carriage return of a line that is just short enough does not count.
    const std::size_t allowed = max_line_bytes_ + (piece.ends_with('\r') ? 1 : 0);
    if (pending_.size() + piece.size() > allowed)
      return false;
    pending_ += piece;
    if (end == std::string_view::npos)
      return true;
    add(std::exchange(pending_, {}), lines);
    bytes.remove_prefix(end + 1);
  }
  return true;
}

void line_splitter::finish(std::vector<std::string>& lines) {
  if (!pending_.empty())
    add(std::exchange(pending_, {}), lines);
}

void line_splitter::add(std::string line, std::vector<std::string>& lines) {
  if (line.ends_with('\r'))
    line.pop_back();
  const bool repeated = line.empty() && last_was_empty_;
  last_was_empty_ = line.empty();
  if (!repeated)
    lines.push_back(std::move(line));
}

} // namespace troupe::io
