#pragma once

#include "actors/agent_wiring.hpp"
#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <variant>

namespace troupe {

/// What all sessions share.
struct session_environment {
  store_actor store;
  std::shared_ptr<const roster> agents;
  std::string default_agent;
  run::limits limits;
  std::chrono::milliseconds run_timeout{300'000};
  /// Messages that may wait for one session.
  std::size_t max_queue = 64;
};
using session_environment_ptr = std::shared_ptr<const session_environment>;

/// Serialises all that happens to one session: a queue of prompts and erasures, of which one is under way.
/// Keeps the session's items while it lives, and has each run's items stored before it answers.
class session_state {
public:
  explicit session_state(session_actor::pointer self) : self_(self) {}
  ~session_state();

  void begin(std::string id, session_environment_ptr environment, sessions_actor parent);
  caf::typed_response_promise<chat_reply> chat(chat_request&& request, observer_actor observer);
  caf::typed_response_promise<acknowledgement> erase();
  void cancel(std::uint64_t run_id, const error& reason);
  void run_moved(std::uint64_t run_id, const caf::strong_actor_ptr& to);

  const char* name = "session";

private:
  struct prompt_job {
    chat_request request;
    observer_actor observer;
    caf::typed_response_promise<chat_reply> promise;
  };
  struct erase_job {
    caf::typed_response_promise<acknowledgement> promise;
  };
  using job = std::variant<prompt_job, erase_job>;

  void next();
  void load_then(void (session_state::*go_on)());
  void run_prompt();
  void run_ended(run_outcome&& outcome);
  void stored(run_outcome&& outcome);
  void reply(run_outcome&& outcome);
  void fail_prompt(error reason);
  void erase_now();
  /// Ends the job under way and reports to the parent when nothing is left.
  void done();
  prompt_job& current_prompt() { return std::get<prompt_job>(jobs_.front()); }

  session_actor::pointer self_;
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
  run_actor carrier_;
  std::optional<error> cancelled_;
  std::uint64_t handled_ = 0;
};

session_actor::behavior_type session_behavior(session_actor::stateful_pointer<session_state> self,
                                              std::string id, session_environment_ptr environment,
                                              sessions_actor parent);

} // namespace troupe
