#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"
#include "actors/paused_session_run.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <variant>

namespace troupe {

/// What all sessions share.
struct session_environment {
  store_actor store;
  std::shared_ptr<const roster> agents;
  std::string default_agent;
  /// Agents whose input guardrails may change what the user said, so that it is stored only after them.
  std::set<std::string, std::less<>> rewriting_agents;
  run::limits limits;
  /// What each run, and all runs of a session together, may spend.
  budget run_budget;
  budget session_budget;
  price_list prices;
  /// To reserve at, where a call may fall to another model.
  price_list dearest;
  std::chrono::milliseconds run_timeout{300'000};
  /// Messages that may wait for one session.
  std::size_t max_queue = 64;
};
using session_environment_ptr = std::shared_ptr<const session_environment>;

using renewable_session_actor = session_actor::extend<
    // What all sessions share, after some actor was replaced.
    caf::reacts_to<wire_atom, session_environment_ptr>>;

/// Serialises all that happens to one session: a queue of prompts, resumptions and erasures, of which one is
/// under way. Keeps the session's items while it lives, and has each run's items stored before it answers.
class session_state {
public:
  explicit session_state(renewable_session_actor::pointer self) : self_(self) {}
  ~session_state();

  void begin(std::string id, session_environment_ptr environment, sessions_actor parent);
  caf::typed_response_promise<chat_reply> chat(chat_request&& request, observer_actor observer);
  caf::typed_response_promise<chat_reply> resume(resume_request&& request, observer_actor observer);
  caf::typed_response_promise<run_record_ptr> show(const std::string& run_id);
  caf::typed_response_promise<acknowledgement> erase();
  void cancel(const std::string& run_id, const error& reason, cancel_mode mode);
  void renew(session_environment_ptr environment) { environment_ = std::move(environment); }
  void run_moved(const std::string& run_id, const caf::strong_actor_ptr& to);

  const char* name = "session";

private:
  struct prompt_job {
    chat_request request;
    observer_actor observer;
    caf::typed_response_promise<chat_reply> promise;
  };
  struct resume_job {
    resume_request request;
    observer_actor observer;
    caf::typed_response_promise<chat_reply> promise;
  };
  struct show_job {
    std::string run_id;
    caf::typed_response_promise<run_record_ptr> promise;
  };
  struct erase_job {
    caf::typed_response_promise<acknowledgement> promise;
  };
  /// A paused run is cancelled.
  struct drop_job {
    std::string run_id;
    error reason;
    /// The parent's word is counted already.
    bool is_counted = false;
  };
  using job = std::variant<prompt_job, resume_job, show_job, erase_job, drop_job>;

  template <class Job, class Promise>
  Promise enqueue(Job&& wanted, Promise promise);
  void next();
  void load();
  void start();
  void start(prompt_job& wanted);
  void start(resume_job& wanted);
  void start(const show_job& wanted);
  void start(const erase_job& wanted);
  void start(const drop_job& wanted);

  // session_run.cpp: the run under way.
  void save_input(const travelling_run& run);
  /// Adds what the run deals with wherever it is, and sends it off.
  void send_off(const agent_actor& agent, travelling_run&& run, budget spending, bool streamed,
                const observer_actor& observer);
  void run_ended(run_outcome&& outcome);
  /// How a paused run ends that does not go on: its history closed as that of any cancelled run.
  static run_outcome close_paused(const run::state& paused, const error& reason);
  void stored(run_outcome&& outcome);
  /// How the run under way ended, for who asks later.
  void report(const run_outcome& outcome, std::optional<error> failure);
  /// The same of one that never began.
  void report_unbegun(const std::string& run_id, const error& reason);
  void fail_run(error reason);
  void tell_failure(const error& reason) const;
  run_record paused_record() const;
  /// The run's end could not be learned, or not be stored: what the store has is what counts from now on.
  void lose_run(error reason);
  /// Forgets what was loaded.
  void forget();

  // session.cpp
  void deliver(caf::error reason);
  void deliver(chat_reply&& reply);
  /// Ends the job under way.
  void done();
  /// Tells the parent, which counts what it passes on.
  void count_handled(std::uint64_t more);

  renewable_session_actor::pointer self_;
  std::string id_;
  session_environment_ptr environment_;
  sessions_actor parent_;
  /// The front one is under way if `busy_`.
  std::deque<job> jobs_;
  bool busy_ = false;
  /// What is stored, once loaded. Shared with the run under way only.
  bool loaded_ = false;
  std::shared_ptr<item_list> items_ = std::make_shared<item_list>();
  std::string agent_;
  usage_report used_;
  approved_calls approved_;
  std::optional<paused_session_run> paused_;

  // The run under way.
  std::string run_id_;
  run_actor carrier_;
  std::optional<std::pair<error, cancel_mode>> cancelled_;
  /// So many of its items are stored already.
  std::size_t saved_ = 0;
  std::optional<error> save_failure_;
  budget spending_;
  bool was_paused_ = false;
  /// It pauses, once that is stored.
  std::optional<paused_session_run> pausing_;
  std::uint64_t handled_ = 0;
};

renewable_session_actor::behavior_type
session_behavior(renewable_session_actor::stateful_pointer<session_state> self, std::string id,
                 session_environment_ptr environment, sessions_actor parent);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_environment_ptr)
