#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"
#include "actors/paused_session_run.hpp"
#include "libagent/core/redactor.hpp"
#include "libagent/run/journal.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <variant>

namespace troupe {

class memory_watch;
struct session_measures;

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
  /// Items of the session that a run begins with, at most.
  std::size_t max_history_items = 1000;
  std::size_t max_prompt_bytes = 1u << 20;
  /// Whom to ask how much memory there is; null: nobody.
  std::shared_ptr<memory_watch> memory{};
  /// What is counted of sessions; may be null.
  std::shared_ptr<const session_measures> measures{};
  /// What a prompt does that finds a run of its session under way, where it does not say.
  busy_policy busy = busy_policy::enqueue;
  /// Keeps secrets out of what is told of runs.
  redactor_ptr hides = nothing_to_hide();
  /// Whether the store keeps a journal, so that runs outlive the server.
  bool is_journaled = false;
  /// Whether what processes that are gone have left of a session is taken up whenever that is used.
  bool takes_up_left = false;
  /// So often a run that the server did not live to end is taken up again.
  unsigned max_takeovers = 3;
};
using session_environment_ptr = std::shared_ptr<const session_environment>;

/// Internal: the time of a prompt that still waits is over; and: a run may be taken up, or its end be
/// written, now.
using overdue_atom = caf::atom_constant<caf::atom("overdue")>;
using again_atom = caf::atom_constant<caf::atom("again")>;
using renewable_session_actor = session_actor::extend<
    // What all sessions share, after some actor was replaced.
    caf::reacts_to<wire_atom, session_environment_ptr>, caf::reacts_to<overdue_atom, std::string>,
    caf::reacts_to<again_atom, std::string>,
    // The paused run of that id has gone on at another server, as far as the store knows.
    caf::reacts_to<settle_atom, std::string>,
    // The server ends once what is under way is over: what waits for somebody's word is left to the next one.
    caf::reacts_to<stop_atom>>;

/// Serialises all that happens to one session: a queue of prompts, resumptions and erasures, of which one is
/// under way. Keeps the session's items while it lives, and has each run's items stored before it answers.
/// With a journal each prompt is written down when it is accepted, and its end with its items.
class session_state {
public:
  explicit session_state(renewable_session_actor::pointer self) : self_(self) {}
  ~session_state();

  void begin(std::string id, session_environment_ptr environment, sessions_actor parent);
  caf::typed_response_promise<chat_reply> chat(chat_request&& request, observer_actor observer);
  caf::typed_response_promise<chat_reply> resume(resume_request&& request, observer_actor observer);
  caf::typed_response_promise<run_record_ptr> show(const std::string& run_id, caller by);
  caf::typed_response_promise<acknowledgement> erase(caller by);
  void recover(const std::string& run_id, observer_actor observer);
  void went_on_elsewhere(const std::string& run_id);
  /// Of a run in the background: answers once it is written down.
  caf::typed_response_promise<chat_reply> accepted(const std::string& run_id);
  void overdue(const std::string& run_id);
  void stop();
  /// What could not be done for the run under way, for its store, is tried again.
  void again(const std::string& run_id);
  void cancel(const std::string& run_id, const error& reason, cancel_mode mode);
  void renew(session_environment_ptr environment) { environment_ = std::move(environment); }
  void run_moved(const std::string& run_id, const caf::strong_actor_ptr& to);

  const char* name = "session";

private:
  /// A run that another process did not live to end.
  struct recover_job {
    std::string run_id;
    observer_actor observer;
    std::optional<error> cancelled{};
    /// So often the pause before the next try has doubled.
    unsigned tries = 0;
  };
  struct prompt_job {
    chat_request request;
    observer_actor observer;
    caf::typed_response_promise<chat_reply> promise;
    /// The request's, if it has one.
    std::optional<caf::actor_clock::time_point> deadline{};
    /// It is in the journal.
    bool is_accepted = false;
    /// Whoever asked has been told that it will be carried out.
    bool is_answered = false;
    /// That is so: it would outlive the server, where anything does.
    bool is_certain = false;
    /// The same request came again.
    std::vector<caf::typed_response_promise<chat_reply>> again{};
    /// Another process has accepted it: so it was to be taken up, and is again if it cannot begin.
    std::optional<recover_job> taken_up{};
    /// The store was asked whether the paused run in its way is still there.
    bool has_looked = false;
  };
  struct resume_job {
    resume_request request;
    observer_actor observer;
    caf::typed_response_promise<chat_reply> promise;
  };
  struct show_job {
    std::string run_id;
    caller by;
    caf::typed_response_promise<run_record_ptr> promise;
  };
  struct erase_job {
    caller by;
    caf::typed_response_promise<acknowledgement> promise;
  };
  /// A paused run is cancelled.
  struct drop_job {
    std::string run_id;
    error reason;
    /// The parent's word is counted already.
    bool is_counted = false;
    bool rolls_back = false;
  };
  using job = std::variant<prompt_job, resume_job, show_job, erase_job, drop_job, recover_job>;

  static bool is_run(const job& each) {
    return std::holds_alternative<prompt_job>(each) || std::holds_alternative<resume_job>(each) ||
           std::holds_alternative<recover_job>(each);
  }
  template <class Job, class Promise>
  Promise enqueue(Job&& wanted, Promise promise);
  void next();
  /// Whether it waits until the paused run is settled: a prompt that somebody was told is accepted.
  bool is_held(const job& each) const;
  /// The prompt whose turn has come stays where it is, and others go before it.
  void hold();
  std::set<std::string> held_runs() const;
  /// Nothing but such prompts is left: others need not wait for the session, and a server that ends leaves
  /// them to the next one.
  void only_held();
  /// Prompts that wait and were told to be accepted.
  void refuse(const std::set<std::string>& waiting, const error& reason);
  /// Does what the prompt's policy says about the run that is in its way, of so many jobs before it; an error
  /// refuses it.
  std::optional<error> make_way(const chat_request& request, std::size_t ahead);
  /// Jobs that do not wait for the paused run.
  std::size_t count_free() const;
  busy_policy policy_of(const chat_request& request) const;
  /// Whether it ends the run under way, or all that the session has.
  template <class Job>
  bool ends_others(const Job& wanted) const;
  /// The same for those that came before the session was loaded.
  void make_way_for_waiting();
  /// Cancels the run under way, for good.
  void cancel_front(const error& reason, cancel_mode mode);
  /// Whether the session, if it is there, may be seen by them.
  bool may_see(const caller& by) const;
  error unknown() const;
  static error unknown_run(const std::string& run_id);
  template <class Job>
  static const caller& caller_of(const Job& wanted);
  /// What somebody is told who may not see the session.
  template <class Job>
  error unknown_to(const Job& wanted) const;

  /// Ends the job under way.
  void done();
  /// Tells the parent, which counts what it passes on.
  void count_handled(std::uint64_t more);

  // session_jobs.cpp: how each job begins.
  void load();
  /// The front job can begin now.
  void has_loaded();
  /// What a run sees of the conversation before it.
  shared_items recent(shared_items all) const;
  void start();
  void start(prompt_job& wanted);
  void start(resume_job& wanted);
  void start(const show_job& wanted);
  void start(const erase_job& wanted);
  void start(const drop_job& wanted);
  /// A resumption is refused.
  void stay_paused(const error& reason);
  /// The job's answer, and its end.
  void deliver(caf::error reason);
  void deliver(chat_reply&& reply);

  // session_damage.cpp
  /// The session's paused run cannot be read: it ends as failed, so that the session can go on.
  void end_damaged(const std::string& run_id, const error& reason);
  void end_damaged(const std::string& run_id, const std::string& key_hash, const error& reason);

  // session_journal.cpp: what outlives the server.
  /// Has the prompts that wait written down, so far as they are not.
  void accept_waiting();
  run_acceptance acceptance_of(const chat_request& request) const;
  prompt_job* find_prompt(const std::string& run_id);
  /// It will be carried out: answers those who do not wait for the run.
  static void is_certain(prompt_job& wanted, const std::string& session_id);
  /// Has the input stored, and the run begun for good, before it is sent off.
  void begin_run(const agent_actor& agent, travelling_run&& run, bool has_input);
  void send_off_begun(const agent_actor& agent, travelling_run&& run);
  void write(run_change&& change);
  /// It is to be so though the server ends before the run does.
  void write_cancellation(const std::string& run_id, const error& reason, cancel_mode mode);
  void write(session_append&& addition);
  /// Where what concerns the run under way is written down: with its events, in one order.
  journal_actor journal() const;
  void take_log(const observer_actor& observer, bool is_logged);

  // session_left.cpp: what other processes have done with it.
  /// Takes over what is left by those that are gone, before the session is loaded.
  void look_for_left();
  void has_looked();
  /// What need not wait for that goes on all the same.
  void not_looked(const error& reason);
  /// The paused run that a prompt finds may have gone on elsewhere; else the prompt is refused.
  void look_at_blocker(prompt_job& wanted);
  void blocker_has_gone();

  // session_recovery.cpp: what another server did not live to end.
  void start(recover_job& wanted);
  void take_up(const stored_run& found);
  /// It was over already.
  void has_ended(const stored_run& found);
  /// Its turn has not come yet.
  void take_up_waiting(chat_request&& request, const std::optional<error>& cancelled);
  void take_up_run(const stored_run& found, const chat_request& request, run::journaled_run&& known);
  /// Tries again later if that can help.
  void give_up_recovery(const error& reason, bool is_damaged);
  /// Whether it is tried again.
  bool plan_recovery(const error& reason);
  /// The server is about to end.
  bool is_shutdown() const { return cancelled_ && cancelled_->first.code == errc::shutting_down; }
  /// The run's beginning could not be written down.
  void not_begun(const error& reason);
  /// Events that came after the last step that is known, by the runs inside: they come again.
  void void_events(const stored_run& found, const std::set<std::string>& under_way,
                   std::function<void(run_change&&, run_taken_up&&)> go_on);

  // session_run.cpp: the run under way.
  void save_input(const travelling_run& run);
  /// Adds what the run deals with wherever it is, and sends it off.
  void send_off(const agent_actor& agent, travelling_run&& run, budget spending, bool streamed,
                const observer_actor& observer, std::optional<std::chrono::milliseconds> wanted_time = {});
  void run_ended(run_outcome&& outcome);
  /// How a paused run ends that does not go on: its history closed as that of any cancelled run.
  static run_outcome close_paused(const run::state& paused, const error& reason);
  /// What it adds to the session.
  session_append end_of(const run_outcome& outcome) const;
  void write_end();
  /// Tries again for a while if that can help.
  void end_not_written(const error& reason);
  void stored(run_outcome&& outcome);
  /// The server ends before the run did.
  void interrupt(const error& reason);
  /// How the run under way ended, for who asks later.
  run_record record_of_end(const run_outcome& outcome, std::optional<error> failure) const;
  void report(const run_outcome& outcome, std::optional<error> failure);
  /// The same of one that never began.
  void report_unbegun(const chat_request& request, const error& reason);
  void fail_run(error reason);
  void tell_failure(const error& reason) const;
  run_record paused_record() const;
  /// The run's end could not be learned, or not be stored: what the store has is what counts from now on.
  void lose_run(error reason);
  /// Forgets what was loaded.
  void forget();

  renewable_session_actor::pointer self_;
  std::string id_;
  session_environment_ptr environment_;
  sessions_actor parent_;
  /// The front one is under way if `busy_`.
  std::deque<job> jobs_;
  bool busy_ = false;
  /// What is stored, once loaded. Shared with the run under way only.
  bool loaded_ = false;
  /// Another process has added to it since, or may have left something: it is loaded anew for the next job.
  bool is_stale_ = false;
  /// What is left of it was looked for just now.
  bool has_looked_ = false;
  std::shared_ptr<item_list> items_ = std::make_shared<item_list>();
  std::string agent_;
  /// Whose it is; nothing while it is not there.
  std::optional<std::string> owner_;
  usage_report used_;
  approved_calls approved_;
  std::optional<paused_session_run> paused_;
  /// How a paused run ended that was damaged; null if none was.
  run_record_ptr damaged_;

  // The run under way.
  std::string run_id_;
  run_actor carrier_;
  std::optional<std::pair<error, cancel_mode>> cancelled_;
  /// So many of its items are stored already.
  std::size_t saved_ = 0;
  std::optional<error> save_failure_;
  budget spending_;
  bool was_paused_ = false;
  /// Its saved items were among those that were loaded.
  bool has_saved_loaded_ = false;
  bool is_in_journal_ = false;
  /// Of its events; null if nobody is to read them.
  run_log_actor log_;
  /// Of its request.
  std::string key_hash_;
  bool rolls_back_ = false;
  /// What it had added is being taken back.
  bool is_rolled_back_ = false;
  /// It pauses, once that is stored.
  std::optional<paused_session_run> pausing_;
  /// How it ended, until that is stored, which is tried up to then.
  std::optional<run_outcome> ending_;
  caf::actor_clock::time_point end_until_;
  std::uint64_t handled_ = 0;
  bool is_stopping_ = false;
};

renewable_session_actor::behavior_type
session_behavior(renewable_session_actor::stateful_pointer<session_state> self, std::string id,
                 session_environment_ptr environment, sessions_actor parent);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::session_environment_ptr)
