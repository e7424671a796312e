#pragma once

#include "actors/defaults.hpp"
#include "actors/run_register.hpp"
#include "actors/session.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Internal: looks for sessions to put away; and: the time to finish runs is over.
using sweep_atom = caf::atom_constant<caf::atom("sweep")>;
using expired_atom = caf::atom_constant<caf::atom("expired")>;
using sweeping_sessions_actor =
    sessions_actor::extend<caf::reacts_to<sweep_atom>, caf::reacts_to<expired_atom, bool>,
                           // What all sessions share, after some actor was replaced.
                           caf::reacts_to<wire_atom, session_environment_ptr>>::extend_with<observed_actor>;

struct run_log_setup;

struct sessions_limits {
  /// Prompts under way or waiting, over all sessions.
  std::size_t max_runs = 10'000;
  /// A session's actor that has had nothing to do for so long is put away; its items are in the store.
  std::chrono::milliseconds idle_timeout{60'000};
  /// Beyond so many idle sessions, the one that has been idle for longest is put away at once.
  std::size_t max_idle = 4096;
  /// Runs that are over and can still be asked for.
  std::size_t kept_runs = 1000;
};

/// What the sessions' actor leaves when it ends: for the one that takes its place, if there is one.
struct left_runs {
  /// Were under way.
  std::vector<run_record_ptr> lost;
  /// Another server did not live to end them, and their turn to go on had not come.
  std::vector<orphaned_run> untouched;
};

/// Has the ends of lost runs written: who waited for them was told.
void end_lost(const store_actor& store, const std::vector<run_record_ptr>& lost);

/// Finds or makes the actor of each session, and counts what is under way.
class sessions_state {
public:
  explicit sessions_state(sweeping_sessions_actor::pointer self) : self_(self) {}
  ~sessions_state();

  void begin(session_environment_ptr environment, sessions_limits limits,
             const std::vector<orphaned_run>& orphans, std::shared_ptr<left_runs> left);
  caf::result<chat_reply> chat(chat_request&& request, observer_actor observer);
  caf::result<chat_reply> resume(resume_request&& request, observer_actor observer);
  caf::result<run_record_ptr> show_run(const std::string& run_id, const caller& by);
  /// The same, but what the store has to tell of a run that is over comes without its items.
  caf::result<run_record_ptr> show_head(const std::string& run_id, const caller& by);
  caf::result<run_record_ptr> cancel(const std::string& run_id, cancel_mode mode, const caller& by);
  caf::result<session_record_ptr> load(const std::string& session_id, const caller& by);
  caf::result<acknowledgement> erase(const std::string& session_id, const caller& by);
  caf::result<caf::strong_actor_ptr> log_of(const std::string& run_id, const caller& by,
                                            const std::string& key_hash);
  caf::typed_response_promise<acknowledgement> stop(caf::timespan grace);
  /// The session has dealt with `handled` messages.
  void finished(const std::string& session_id, std::uint64_t handled);
  void run_changed(const run_record_ptr& record);
  void erased(const std::string& session_id);
  /// Runs of a session that were taken over from another process go on.
  caf::result<acknowledgement> take_over(const std::string& session_id,
                                         const std::vector<orphaned_run>& runs);
  void sweep();
  /// A session's actor ended by itself, which is a bug: what it had under way is over, and the next message
  /// to the session makes a new one.
  void died(const caf::actor_addr& who);
  /// The time to finish runs is over: cancels them first, gives them up the second time.
  void expired(bool cancelled_before);
  void renew(const session_environment_ptr& environment);
  actor_status status() const;

  const char* name = "sessions";

private:
  struct entry {
    renewable_session_actor handle;
    /// Messages passed on to it, and those it has dealt with; equal when it is idle.
    std::uint64_t forwarded = 0;
    std::uint64_t handled = 0;
    caf::actor_clock::time_point idle_since;
    /// Its place among the idle, if it is.
    std::list<std::string>::iterator place;
    bool is_idle() const noexcept { return forwarded == handled; }
  };

  /// Hands what the store knows of a run that is not in the register to `go_on(promise, run)`. Without a
  /// journal those are paused.
  template <class Answer, class Go>
  caf::typed_response_promise<Answer> find_run(const std::string& run_id, const caller& by, Go go_on);
  /// Goes on with a paused run that the store has to tell of.
  caf::result<chat_reply> resume_stored(resume_request&& request, observer_actor observer);
  /// Waits for a run that is under way.
  caf::result<chat_reply> join(const resume_request& request);
  /// Answers for such a run that is not over.
  void show_open(caf::typed_response_promise<run_record_ptr> promise, const run_head_ptr& run,
                 const caller& by);
  // sessions_adopt.cpp: what other processes carry, or have left.
  /// A paused run, which others may go on with: what the store says of it counts.
  bool may_have_moved(const run_record& known) const;
  /// Here.
  bool is_under_way(const std::string& run_id) const;
  /// The run is not paused any more, as its session may still believe.
  void note_moved(const run_head& run);
  /// Of a run that is open and not under way here: takes it up, with what else is left of its session, if the
  /// process is gone that had it, and goes on then.
  void look_for_left(const run_head_ptr& run, std::function<void()> go_on);

  /// Goes on with runs that another server did not live to end, some at a time.
  void recover_more();
  void recover(const std::string& session_id);
  caf::result<chat_reply> start_run(chat_request&& request, observer_actor observer);
  /// Registers the run, gives it a log if it is to have one, and tells its session.
  entry& take_in(const chat_request& request, observer_actor& observer);
  /// Why nothing more can be begun now; counts it.
  std::optional<error> no_room() const;
  /// Counts a run that has begun, or is over.
  void count_begin(const std::string& run_id);
  void count_end(const run_record& record);
  /// A key was used with another request: with that of the run.
  static error other_request(const std::string& run_id, const std::string& session_id);
  /// A request whose key was used before: answered by that run. Nothing if it has to be carried out.
  bool answer_again(const run_record& known, const chat_request& request,
                    caf::typed_response_promise<chat_reply>& promise);
  void look_up_key(chat_request&& request, observer_actor observer,
                   caf::typed_response_promise<chat_reply> promise);
  void key_looked_up(const std::string& run_id, const run_record* known);
  void key_not_looked_up(const std::string& run_id, const error& reason);
  /// Answers those who wait for the run, and puts its log away.
  void run_over(const run_record& record);
  /// The log of the run's events, made if there is none.
  run_log_actor make_log(const std::string& run_id, bool is_new);
  run_log_setup log_setup(const std::string& run_id) const;
  /// Who watches a paused run that goes on: its log, whatever it was before, unless an embedder does.
  observer_actor watcher_of(resume_request& request, const observer_actor& observer);
  /// The run is over or has paused: its log need not be kept, or not for long.
  void retire_log(const std::string& run_id);
  void drop_log(const std::string& run_id);
  /// To send it something. Runs of it that another server did not live to end come first.
  entry& find_or_make(const std::string& session_id);
  /// Puts the session that has been idle for longest away.
  void put_away_oldest();
  void answer_stop();
  /// Notes what is under way for the actor that takes its place.
  void leave() const;

  sweeping_sessions_actor::pointer self_;
  session_environment_ptr environment_;
  sessions_limits limits_;
  std::optional<run_register> runs_;
  /// When runs under way were accepted, or went on.
  std::unordered_map<std::string, caf::actor_clock::time_point> began_;
  std::unordered_map<std::string, entry> entries_;
  /// Idle sessions, the longest idle first.
  std::list<std::string> idle_;
  std::size_t under_way_ = 0;
  bool sweeping_ = false;
  bool stopping_ = false;
  std::vector<caf::typed_response_promise<acknowledgement>> stops_;
  /// Who waits for a run that another request with the same key has started.
  std::unordered_map<std::string, std::vector<caf::typed_response_promise<chat_reply>>> waiters_;
  struct keyed_request {
    chat_request request;
    observer_actor observer;
    caf::typed_response_promise<chat_reply> promise;
  };
  struct log_request {
    caller by;
    std::string key_hash;
    caf::typed_response_promise<caf::strong_actor_ptr> promise;
  };
  struct key_look_up {
    std::vector<keyed_request> requests;
    std::vector<log_request> logs;
  };
  /// By the run that their key makes, while the store is asked for it.
  std::unordered_map<std::string, key_look_up> looked_up_;
  /// By run.
  std::unordered_map<std::string, run_log_actor> logs_;
  /// Runs that are over, or wait for somebody's word, whose logs are kept; the oldest first.
  std::deque<std::string> old_logs_;
  /// Runs to go on with, by session, and the sessions in the order in which their turn comes.
  std::unordered_map<std::string, std::vector<std::string>> orphans_;
  std::deque<std::string> orphaned_sessions_;
  std::set<std::string> recovering_;
  std::shared_ptr<left_runs> left_;
};

sweeping_sessions_actor::behavior_type
sessions_behavior(sweeping_sessions_actor::stateful_pointer<sessions_state> self,
                  session_environment_ptr environment, sessions_limits limits,
                  const std::vector<orphaned_run>& orphans, std::shared_ptr<left_runs> left);

} // namespace troupe
