#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe {

/// The newest bytes of a process's stderr on their way from the reactor to an actor: bounded, however much
/// the process writes and however busy the actor is. Thread-safe.
class stderr_ring {
public:
  explicit stderr_ring(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Adds bytes. True if the actor must be told, false if it already was and has not taken since.
  bool add(std::string_view bytes);

  struct taken {
    std::string text;
    /// Bytes that were lost in front of the text, the rest of a line that was cut included.
    std::uint64_t dropped = 0;
  };
  taken take();

private:
  const std::size_t max_bytes_;
  std::mutex lock_;
  std::string bytes_;
  std::uint64_t dropped_ = 0;
  bool told_ = false;
};

} // namespace troupe
