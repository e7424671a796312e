#pragma once

#include "actors/run_event.hpp"

#include <optional>
#include <string>

namespace troupe {

/// An event of a run as clients see it.
struct told_event {
  std::string name;
  /// JSON text, which has no line breaks.
  std::string data;
  /// For runs that the outermost one has started: where they are in it.
  std::string path{};
};

/// What clients learn of an event; nothing for those that tell nothing new on a stream. `run_id` is the
/// outermost run's.
std::optional<told_event> told(const run_event& what, std::string_view run_id);

/// As a journal keeps it, and back.
std::string to_stored(const told_event& event);
told_event event_from_stored(std::string_view text);

} // namespace troupe
