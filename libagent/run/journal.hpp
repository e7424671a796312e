#pragma once

#include "libagent/run/state.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

/// Runs as records of a journal: each says what has changed since the one before. docs/journal.md describes
/// their form.
namespace troupe::run {

/// Takes note of how one run changes. A value that goes where the run goes.
class recorder {
public:
  /// What has changed since the last call, and all of the run the first time; null if nothing has. `path`
  /// names the run among those that a run starts: places of calls with slashes between, empty for the
  /// outermost.
  json take(state& run, const std::string& path);

private:
  json take_all(state& run);
  json take_changes(state& run);

  /// A call as it was when last looked at. What may be large is told apart by where it is.
  struct known_call {
    explicit known_call(const open_call& call);
    json head;
    std::shared_ptr<const json> arguments;
    std::shared_ptr<const tool_result> result;
    std::shared_ptr<const state> nested;
  };

  void add_calls(const state& run, json& change);
  static json difference(const known_call& before, const known_call& now, const open_call& call);

  json head_;
  std::vector<known_call> calls_;
  std::size_t items_ = 0;
  shared_items seen_;
  shared_items history_;
};

/// Whether what has happened, or what is to be done about it, has to be written down before that is done.
/// Else the run can come to the same point again without harm.
bool is_recorded(const event& what);
bool is_recorded(const effects& todo);

/// Where in an interrupted run those are that it had started and that are not over: TURN.INDEX of their
/// calls, with "/" between one run and the one inside it.
std::set<std::string> agents_under_way(const state& run);

/// The record of a cancellation that the run has not heard of yet.
json cancellation_record(const error& reason, bool after_turn);
/// The record of a server that takes the run up after another one has ended in the middle of it.
json takeover_record();

/// What the records of a run come to.
struct journaled_run {
  /// Interrupted, with the runs that it had started in the calls that started them.
  state run;
  /// So often a server has ended in the middle of it, other than in order; the last one too.
  unsigned crashes = 0;
  std::optional<error> cancelled;
};

/// Puts a run together again from its records in order. Nothing if they do not say how it stood: it never
/// came so far. Error `malformed` names the record that cannot be used, from 1.
result<std::optional<journaled_run>> fold(const std::vector<json>& records);

} // namespace troupe::run
