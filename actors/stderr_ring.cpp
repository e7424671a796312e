#include "actors/stderr_ring.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

bool stderr_ring::add(std::string_view bytes) {
  const std::lock_guard guard(lock_);
  bytes_ += bytes;
  if (bytes_.size() > max_bytes_) {
    const auto over = bytes_.size() - max_bytes_;
    bytes_.erase(0, over);
    dropped_ += over;
  }
  return !std::exchange(told_, true);
}

stderr_ring::taken stderr_ring::take() {
  const std::lock_guard guard(lock_);
  told_ = false;
  taken all{std::exchange(bytes_, {}), std::exchange(dropped_, 0)};
  if (all.dropped == 0)
    return all;
  // What is left of the line that was cut may hold half a secret.
  const auto rest = std::min(all.text.find('\n'), all.text.size());
  all.text.erase(0, rest);
  all.dropped += rest;
  return all;
}

} // namespace troupe
