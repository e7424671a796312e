#pragma once

#include "actors/run_event.hpp"
#include "libagent/core/redactor.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// Keeps secrets out of a run's events, also where a secret comes in several pieces: what may be the
/// beginning of one is held back, until the next piece or until the same run tells something else.
class event_redactor {
public:
  event_redactor() = default;
  explicit event_redactor(redactor_ptr hides) : hides_(std::move(hides)) {}

  /// What can be told by now, in order.
  std::vector<run_event> take(const run_event& what);
  /// What is still held back; nothing more comes for the time being.
  std::vector<run_event> finish();

private:
  struct speaker {
    stream_redactor held;
    /// The last piece, for what is told later.
    run_event last;
  };

  template <class Delta>
  void speak(const Delta& what, std::string key, std::vector<run_event>& into);
  /// Tells what is held back of the run inside, or of all.
  void release(const std::string* nested_run, std::vector<run_event>& into);

  redactor_ptr hides_ = nothing_to_hide();
  /// By whose it is and what it is.
  std::map<std::string, speaker> voices_;
};

} // namespace troupe
