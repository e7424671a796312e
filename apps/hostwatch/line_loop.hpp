#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::hostwatch {

/// What to do with the lines that come in.
struct line_handlers {
  /// Lines to write in answer to a line, without newlines.
  std::function<std::vector<std::string>(std::string_view)> on_line;
  /// The same in answer to a line of more than `max_line_bytes`, which is skipped.
  std::function<std::vector<std::string>()> on_overlong;
  std::size_t max_line_bytes;
};

/// Reads lines from `in` and writes answers to `out`, blocking, until `in` is at its end or one of them
/// fails. A last line without its newline counts.
void serve_lines(int in, int out, const line_handlers& handlers);

} // namespace troupe::hostwatch
