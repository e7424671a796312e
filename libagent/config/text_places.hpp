#pragma once

#include "libagent/config/document.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace troupe::config {

/// Turns offsets into a text into places. The text has to outlive it.
class text_places {
public:
  explicit text_places(std::string_view text);

  /// Offsets past the end mean the end.
  place at(std::size_t offset) const;
  std::string_view text() const noexcept { return text_; }

private:
  std::size_t characters_before(std::size_t offset) const;

  std::string_view text_;
  std::vector<std::size_t> line_starts_;
  /// Characters before each multiple of a fixed number of bytes, since a whole file may be one line.
  std::vector<std::size_t> milestones_;
};

/// Reports what no agent file may hold: too many bytes, bytes that are not UTF-8, control characters.
bool is_readable_text(const text_places& places, const report& fail);

} // namespace troupe::config
