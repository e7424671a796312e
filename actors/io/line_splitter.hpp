#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::io {

/// Cuts a stream of bytes into lines. Each byte is looked at once, however long the lines are.
class line_splitter {
public:
  explicit line_splitter(std::size_t max_line_bytes);

  /// Appends the lines that `bytes` ends, each without its newline and one carriage return before that. Of
  /// several empty lines in a row only the first is kept, so that a flood of them costs no memory. False
  /// once a line is too long; what follows is not looked at.
  bool feed(std::string_view bytes, std::vector<std::string>& lines);
  /// The end of the stream: appends the line that has no newline, if there is one.
  void finish(std::vector<std::string>& lines);

private:
  void add(std::string line, std::vector<std::string>& lines);

  std::size_t max_line_bytes_;
  std::string pending_;
  bool last_was_empty_ = false;
};

} // namespace troupe::io
