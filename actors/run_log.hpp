#pragma once

#include "actors/event_flow.hpp"
#include "actors/event_redactor.hpp"
#include "actors/interfaces.hpp"
#include "libagent/core/redactor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// What the log of a run's events starts with.
struct run_log_setup {
  std::string run_id;
  /// Where events are kept; null: in memory alone.
  store_actor store;
  /// Whether the store keeps a journal.
  bool is_journaled = false;
  /// There are no events yet; else the store has to say which there are.
  bool is_new = true;
  /// The run may be carried by somebody else, so that nobody tells this log of it: it looks into the store
  /// for what comes, as long as it is read.
  bool follows = false;
  /// Keeps secrets out of the events.
  redactor_ptr hides = nothing_to_hide();
  /// Bytes of events that no reader has taken yet, past which the run is held back while there is a reader.
  std::size_t window = 0;
  /// Bytes of events that are kept in memory; older ones are in the store, or gone.
  std::size_t kept_bytes = 0;
};

/// Internal: the store can be asked again.
using look_up_atom = caf::atom_constant<caf::atom("lookup")>;
using looking_run_log_actor = run_log_actor::extend<caf::reacts_to<look_up_atom>>;

/// Numbers a run's events as they come, has them written down before anybody sees them, and hands them to
/// readers, each at its own pace.
class run_log_state {
public:
  explicit run_log_state(looking_run_log_actor::pointer self) : self_(self) {}
  ~run_log_state();

  void begin(run_log_setup setup);
  /// Asks the store which events there are; again and again, until it tells.
  void look_up();
  void add(const run_event& what);
  caf::typed_response_promise<acknowledgement> append(session_append&& what);
  caf::typed_response_promise<run_events_ptr> read(std::uint64_t after);
  void finish();
  void goes_on();
  void use(store_actor store);
  void down(const caf::actor_addr& who);

  const char* name = "run_log";

private:
  struct reader {
    std::uint64_t after = 0;
    caf::actor_addr who;
    caf::typed_response_promise<run_events_ptr> promise;
  };

  /// Does it once it is known what there is.
  void when_ready(std::function<void()> task);
  void ready(std::uint64_t last, bool is_over);
  /// What a look into the store has shown.
  void looked_up(const run_head& run);
  /// It cannot be looked into; true if that is tried again.
  bool looks_again(const error& reason, const caf::actor_addr& asked);
  /// Looks again after a while, if that is for this log to do and somebody waits.
  void look_later();
  void wait_for_more(reader next);
  void add_texts(std::vector<std::string> texts);
  void add_text(std::string text);
  /// As clients get them; events that tell them nothing are left out.
  std::vector<std::string> texts_of(const std::vector<run_event>& events) const;
  void write(session_append&& what, caf::typed_response_promise<acknowledgement> promise);
  void save();
  void saved(std::uint64_t upto);
  void answer_readers();
  /// Whether it could be answered now.
  bool answer(reader& waiting);
  void answer_from_store(reader& waiting);
  void hand_out(std::uint64_t upto);
  void trim();
  /// Moves the events that are not saved yet into a change of the store.
  void take_unsaved(run_change& change);
  static void acknowledge(const caf::actor_addr& source, std::uint64_t events);

  looking_run_log_actor::pointer self_;
  run_log_setup setup_;
  bool is_ready_ = false;
  bool is_looking_ = false;
  /// The store has ended before it told; another one is asked as soon as there is one.
  bool needs_store_ = false;
  /// Why there is nothing to be read; what comes is not kept then.
  std::optional<error> failure_;
  std::vector<std::function<void()>> pending_;
  /// The run is over, or has paused.
  bool is_over_ = false;
  /// In memory, the oldest first.
  std::deque<stored_event> events_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;
  /// The last that is stored, and that is on its way there.
  std::uint64_t saved_ = 0;
  std::uint64_t saving_ = 0;
  bool is_saving_ = false;
  /// The last before the run went on.
  std::uint64_t paused_at_ = 0;
  /// The last that a reader has got.
  std::uint64_t read_ = 0;
  event_flow<caf::actor_addr> flow_{0};
  event_redactor cleaner_;
  std::set<caf::actor_addr> readers_;
  std::vector<reader> waiting_;
};

looking_run_log_actor::behavior_type
run_log_behavior(looking_run_log_actor::stateful_pointer<run_log_state> self, run_log_setup setup);

} // namespace troupe
