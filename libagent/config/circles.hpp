#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace troupe::config {

/// One owner's reference to another; `path` tells where it stands.
struct reference {
  std::size_t to = 0;
  std::string path;
};

/// References that lead back to where they began.
struct circle {
  /// The owners, in order; the last one's reference leads to the first.
  std::vector<std::size_t> owners;
  /// Of that reference.
  std::string path;
};

/// A circle for each reference that closes one, up to a hundred; without those references there would be
/// none. `references[i]` are those of owner `i`.
std::vector<circle> find_circles(const std::vector<std::vector<reference>>& references);

} // namespace troupe::config
