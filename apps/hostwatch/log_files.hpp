#pragma once

#include "libagent/core/json.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace troupe::hostwatch {

/// Bytes of a log's end that are looked at, which bounds an answer however long its lines are.
inline constexpr std::size_t max_tail_bytes = 256u << 10;

/// The end of a text, by lines.
struct tail {
  std::string text;
  std::size_t line_count = 0;
};
/// The last `lines` lines, without the final newline.
tail last_lines(std::string text, std::size_t lines);

/// Files below certain directories, and none elsewhere.
class log_files {
public:
  /// Relative directories are taken from the working directory of now.
  explicit log_files(std::vector<std::filesystem::path> directories);

  const std::vector<std::filesystem::path>& directories() const noexcept { return directories_; }

  /// `{"path","text","line_count","size_bytes","truncated"}` of a regular file. The path is absolute, or
  /// relative to one of the directories. Error `invalid_argument` if it has a `..` or leads out of the
  /// directories, links included; `io_failed` if there is no such file or it cannot be read. Bytes that are
  /// not UTF-8 become U+FFFD. `truncated` says that `max_tail_bytes` held fewer lines than asked for.
  result<json> tail_log(const std::string& path, std::size_t lines) const;

private:
  std::vector<std::filesystem::path> directories_;
};

} // namespace troupe::hostwatch
