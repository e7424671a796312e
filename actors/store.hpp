#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics/measures.hpp"
#include "libagent/session/store.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace troupe {

/// Internal: writes what has gathered; makes what was written outlive a power cut; forgets what is over.
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using sync_atom = caf::atom_constant<caf::atom("sync")>;
using purge_atom = caf::atom_constant<caf::atom("purge")>;
/// Internal: tries again to write what is owed.
using owed_atom = caf::atom_constant<caf::atom("owed")>;
using flushing_store_actor =
    store_actor::extend<caf::reacts_to<flush_atom>, caf::reacts_to<sync_atom>, caf::reacts_to<purge_atom>,
                        caf::reacts_to<owed_atom>>::extend_with<observed_actor>;

/// How a store is kept.
struct store_setup {
  std::unique_ptr<session_store> store;
  /// What was written is synced so long after it; zero: each write is synced by itself.
  std::chrono::milliseconds sync_interval{0};
  retention kept{};
  store_measures measures{};
};

/// Owns the session store. Appends that have gathered in the mailbox are written in one transaction, so that
/// many runs share the price of making it durable.
class store_state {
public:
  explicit store_state(flushing_store_actor::pointer self) : self_(self) {}
  ~store_state();

  void use(store_setup setup);
  caf::result<session_record_ptr> load(const std::string& session_id);
  caf::typed_response_promise<acknowledgement> append(session_append&& what);
  void owe(run_change&& ending);
  caf::result<std::string> session_of(const std::string& run_id);
  caf::result<acknowledgement> erase(const std::string& session_id);
  caf::result<adopted_runs_ptr> adopt(const std::string& session_id);
  caf::result<stored_run_ptr> load_run(const std::string& run_id);
  caf::result<run_head_ptr> load_head(const std::string& run_id);
  caf::result<stored_events_ptr> load_events(const std::string& run_id, std::uint64_t last,
                                             events_bound most);
  /// Writes what is owed, or some of it and the rest later.
  void settle();
  void flush();
  void sync();
  void purge();

  const char* name = "store";

private:
  flushing_store_actor::pointer self_;
  /// In one transaction if possible, else as many as possible: what came of each.
  std::vector<result<void>> append_each(const std::vector<session_append>& batch);
  /// The oldest of what is owed. False if the store has to be waited for.
  bool settle_some();
  /// The run has been accepted anew: how it ended before does not count any more.
  void forget_owed(const std::string& run_id);
  /// Notes whether this process has the run under way from here on.
  void note_written(const run_change& change);
  /// After a write, which is to be synced later and may have left something to forget.
  void plan();

  std::unique_ptr<session_store> store_;
  /// Endings that could not be written, the oldest first.
  std::deque<session_append> owed_;
  bool settling_planned_ = false;
  std::chrono::milliseconds sync_interval_{0};
  retention kept_;
  store_measures measures_;
  bool sync_planned_ = false;
  bool purge_planned_ = false;
  /// Runs that were written about and have not ended, also those of which nobody knows any more: they are not
  /// left by another process.
  std::unordered_set<std::string> open_;
  std::vector<session_append> gathered_;
  std::vector<caf::typed_response_promise<acknowledgement>> promises_;
};

/// Spawn it detached for a store that blocks.
flushing_store_actor::behavior_type store_behavior(flushing_store_actor::stateful_pointer<store_state> self,
                                                   std::shared_ptr<store_setup> setup);

} // namespace troupe
