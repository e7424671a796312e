#pragma once

#include "libagent/run/budget.hpp"
#include "libagent/run/machine.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>

namespace troupe::run::testing {

/// What a simulation has counted of a run by itself, to be held against what the run says. It is kept with
/// each of the run's records, and comes back with it after a crash.
struct tally {
  /// Of models, that the run has taken.
  unsigned answers = 0;
  /// What the run has spent, with the runs inside that are over.
  usage used;
  /// The model was asked to do better since the run came to its agent.
  bool is_repaired = false;
  /// There is to be no further turn.
  bool is_to_stop = false;
  /// Places of tool calls whose answers the run has.
  std::set<std::string> answered;
  /// What somebody has had a word on, for the outermost run: by the id of the interruption, and for good by
  /// the run inside, the agent and the tool.
  std::set<std::string> decided;
  std::set<std::tuple<std::string, std::string, std::string>> approved_for_good;
  /// Of the runs inside that wait for somebody or have waited, by the place of the call.
  std::map<std::string, tally> inside;

  /// With the runs inside.
  usage total() const;
  /// The run inside is over, and has spent this.
  void add_ended(const std::string& place, const tally& ended);
};

/// Whether the run takes an answer to that call.
bool awaits_answer(const state& run, std::size_t index);

/// Before an event is taken. (What a run inside has spent is the simulation's to add.)
void note_event(tally& own, const state& run, const event& what);
/// After it was taken: `REQUIRE`s that what is to be done next may be done.
void note_effects(tally& own, const state& run, const event& what, const effects& todo);
/// `REQUIRE`s that the run is in order and has spent what was counted.
void check_state(const tally& own, const state& run);
/// The same of a run that is over.
void check_end(const tally& own, const state& run);
/// Nobody is asked for what he has had a word on.
void check_interruptions(const tally& own, const std::vector<interruption>& waits);
void note_decisions(tally& own, const std::vector<interruption>& waits, const std::vector<decision>& made);

/// A run when its last record was written, by its path.
struct kept_run {
  state run;
  tally own;
};
using kept_runs = std::map<std::string, kept_run>;

/// A record of the run with that path was written; what came before of runs inside that it does not wait for
/// any more is forgotten. `is_whole`: it had all of the run.
void keep(kept_runs& kept, const std::string& path, bool is_whole, const kept_run& now);
/// `REQUIRE`s that what the records come to is each run as it was when its last record was written.
void check_folded(const kept_runs& kept, const std::string& path, const state& folded);
/// What was counted until then.
tally recall(const kept_runs& kept, const std::string& path, const state& folded);

// What the simulation's only model charges: sums of it are exact.
constexpr double input_price = 0.25;
constexpr double output_price = 1;

/// `REQUIRE`s that no bound of the budget was passed.
void check_spent(const usage& spent, const budget& limits);

} // namespace troupe::run::testing
