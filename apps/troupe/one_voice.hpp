#pragma once

#include "actors/run_event.hpp"

#include <deque>
#include <functional>
#include <string>

namespace troupe::cli {

/// Puts the words of agents that speak at the same time one after the other: while one speaks, what others do
/// waits. Events of one agent keep their order.
class one_voice {
public:
  using listener = std::function<void(const run_event&)>;

  explicit one_voice(listener out) : out_(std::move(out)) {}

  /// Calls the listener for each event whose turn has come.
  void take(run_event event);
  /// The same for all that still waits: nobody will speak any more.
  void finish();

private:
  listener out_;
  /// Whose model call is under way and has given words; empty for nobody's.
  std::string speaker_;
  std::deque<run_event> waiting_;
};

} // namespace troupe::cli
