#pragma once

#include "actors/cast.hpp"
#include "actors/http/front.hpp"
#include "actors/restart_policy.hpp"
#include "actors/workshop.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe {

/// Internal: the time has come to start this part again.
using start_again_atom = caf::atom_constant<caf::atom("startagain")>;
using root_actor = supervisor_actor::extend<caf::reacts_to<start_again_atom, std::uint64_t>>;

/// What the supervisor begins with: all parts and, in the same order, their actors.
struct supervisor_setup {
  std::shared_ptr<workshop> shop;
  std::vector<part> parts;
  std::vector<caf::actor> handles;
  cast actors;
  std::shared_ptr<directory> where;
};

/// The root of a runtime. One for one: what ends by a failure is made again, alone, and those that deal with
/// it are told of the new actor. Past the intensity, a stand-in refuses its calls until it is tried again.
class supervisor_state {
public:
  explicit supervisor_state(root_actor::pointer self);
  ~supervisor_state();

  void begin(const supervisor_setup& setup);
  void died(const caf::down_msg& what);
  void start_again(std::uint64_t index);
  void adopt(const http_front_actor& front, front_maker_ptr maker);
  void stop() { stopping_ = true; }
  caf::typed_response_promise<system_status_ptr> status();

  const char* name = "supervisor";

private:
  struct child {
    part what;
    restart_policy restarts;
    /// Null while it is down.
    caf::actor handle;
    std::uint64_t times_restarted = 0;
    std::string last_error;
    /// It ended in order, as part of a shutdown.
    bool is_over = false;
    /// Of a front end.
    front_maker_ptr maker{};
  };
  /// The answers of all parts, as they come in.
  struct round {
    std::vector<system_node> children;
    std::size_t missing = 0;
  };

  void failed(std::size_t index, std::string why);
  void put_stand_in(child& which);
  /// Waits for a front end to listen: from then on it is made again at that port. One that was made again and
  /// cannot listen has failed.
  void learn_port(std::size_t index);
  error why_down(const child& which) const;
  /// Tells all who deal with others whom to deal with.
  void rewire();
  http_backend make_backend() const;

  // supervisor_status.cpp
  system_node outline(const child& which) const;
  /// Of the part with that place among all.
  void ask_part(const std::shared_ptr<round>& all, std::size_t index, const caf::actor& handle,
                bool tells_status);
  void ask_server(const std::shared_ptr<round>& all, std::size_t index, const caf::actor& handle);
  void answered(const std::shared_ptr<round>& all);
  system_node tree(round& all) const;

  root_actor::pointer self_;
  std::shared_ptr<workshop> shop_;
  std::vector<child> children_;
  cast actors_;
  std::shared_ptr<directory> where_;
  bool stopping_ = false;
  caf::actor_clock::time_point began_;
  std::minstd_rand random_;
  std::vector<caf::typed_response_promise<system_status_ptr>> asked_;
};

root_actor::behavior_type supervisor(root_actor::stateful_pointer<supervisor_state> self,
                                     const supervisor_setup& setup);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::supervisor_setup)
