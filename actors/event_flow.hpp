#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace troupe {

/// Holds streamed runs back while their client takes nothing: events are acknowledged as they come, until
/// more than `bound` bytes of them wait to be taken, and then once they do not any more. `Source` names who
/// sends events, since several runs may do so in turns; each is acknowledged its own.
///
/// `acknowledge` is called with a source and how many of its events to acknowledge now.
template <class Source>
class event_flow {
public:
  explicit event_flow(std::size_t bound) noexcept : bound_(bound) {}

  /// An event came, and is on its way to the client as so many bytes. True if its source is a new one, which
  /// is known until `ended`.
  template <class Acknowledge>
  bool came(const Source& from, std::size_t bytes, Acknowledge acknowledge) {
    waiting_ += bytes;
    const auto [place, is_new] = held_.try_emplace(from, 0);
    ++place->second;
    release(acknowledge);
    return is_new;
  }

  /// So many bytes were taken.
  template <class Acknowledge>
  void taken(std::size_t bytes, Acknowledge acknowledge) {
    waiting_ -= bytes < waiting_ ? bytes : waiting_;
    release(acknowledge);
  }

  /// The source is gone: nobody is there to be acknowledged anything.
  void ended(const Source& which) { held_.erase(which); }
  /// Sources that are known.
  std::size_t sources() const noexcept { return held_.size(); }

private:
  template <class Acknowledge>
  void release(Acknowledge& acknowledge) {
    if (waiting_ > bound_)
      return;
    for (auto& [source, held] : held_)
      if (held > 0)
        acknowledge(source, std::exchange(held, 0));
  }

  std::size_t bound_;
  std::size_t waiting_ = 0;
  /// Events that are not acknowledged yet.
  std::map<Source, std::uint64_t> held_;
};

} // namespace troupe
