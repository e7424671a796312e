#pragma once

#include "actors/interfaces.hpp"

#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The calls that an MCP server's actor has taken and not yet answered, waiting or on the wire, by key and by
/// deadline. Belongs to one actor.
class mcp_calls {
public:
  using time_point = caf::actor_clock::time_point;
  using promise = caf::typed_response_promise<tool_result>;

  /// Takes a call that waits for its turn.
  void add(const tool_invocation& what, promise answer, time_point now, std::chrono::milliseconds timeout,
           std::chrono::milliseconds hard_limit);
  /// The next waiting call, now on the wire; null if none waits. Lives until the call is answered.
  const tool_invocation* begin_next();
  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t on_the_wire() const noexcept { return calls_.size() - waiting_.size(); }

  /// The server still works on the call: its timeout begins anew, up to the hard limit.
  void progressed(call_key key, time_point now);
  /// Answers and forgets a call; false if there is none of that key.
  bool answer(call_key key, tool_result result);
  /// Answers all.
  void fail_all(const std::string& reason);
  bool contains(call_key key) const { return calls_.contains(key); }

  /// A call whose time is over.
  struct late_call {
    call_key key = 0;
    bool on_the_wire = false;
    /// Which of its limits struck.
    std::chrono::milliseconds limit{0};
  };
  std::vector<late_call> overdue(time_point now) const;
  /// When the next call's time is over.
  std::optional<time_point> next_deadline() const;

private:
  struct open_call {
    tool_invocation what;
    promise answer;
    std::chrono::milliseconds timeout{0};
    std::chrono::milliseconds hard_limit{0};
    time_point hard_deadline;
    std::multimap<time_point, call_key>::iterator deadline;
    bool on_the_wire = false;
  };

  std::map<call_key, open_call> calls_;
  std::deque<call_key> waiting_;
  std::multimap<time_point, call_key> deadlines_;
};

} // namespace troupe
