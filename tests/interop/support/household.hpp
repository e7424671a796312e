#pragma once

#include "actors/runtime.hpp"
#include "actors/system_config.hpp"

#include <caf/actor_registry.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::test {

/// How a watched run ended, and what happened before.
struct watched_reply {
  result<chat_reply> outcome;
  std::vector<run_event> events;
};

/// Something to ask from inside an actor.
struct question {
  std::function<void(caf::event_based_actor* self)> run;
};

} // namespace troupe::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::test::question)

namespace troupe::test {

/// Only a failing test waits that long: Node.js takes seconds to start on a busy machine.
inline constexpr std::chrono::seconds patience{60};

/// The future's value; throws if it does not come.
template <class T>
T await(std::future<T> value) {
  if (value.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("nothing came in time");
  return value.get();
}

/// A runtime on a real actor system, with threads, clock and child processes, as an embedder has it. Thread
/// safe but for its construction and end; all waits are bounded and throw.
class household {
public:
  explicit household(runtime_options options);
  /// One agent, "helper", with all of these servers; its model says "I am here." to each prompt but
  /// "add ...", for which it calls the tool `add` with 20 and 22 and says what came out.
  explicit household(std::vector<config::mcp_server_options> servers);
  ~household();

  /// Sends now, waits later.
  std::future<tool_result> call(const std::string& server, const std::string& tool,
                                json arguments = json::object(), call_key key = 0);
  void cancel(const std::string& server, call_key key);
  /// Names of the tools, once the outcome of the start is known.
  std::vector<std::string> tools(const std::string& server);
  mcp_status status(const std::string& server);
  /// The first status for which that holds; throws if it never does.
  mcp_status status_when(const std::string& server, const std::function<bool(const mcp_status&)>& holds);
  std::future<result<chat_reply>> chat(const std::string& prompt, const std::string& session_id = "test");

  /// Watched; each event is acknowledged at once. `each` is called for it on an actor's thread.
  std::future<watched_reply> watch(chat_request request, std::function<void(const run_event&)> each = {});
  std::future<result<session_record_ptr>> session(const std::string& session_id);

  runtime& house() { return *runtime_; }

  /// Actors that have not ended, the house's own included.
  std::size_t actors() { return system_.registry().running(); }

private:
  template <class T, class Handle, class... Args>
  std::future<result<T>> ask(const Handle& handle, Args... what);
  mcp_server_actor server(const std::string& name) const;

  system_config config_;
  caf::actor_system system_;
  caf::actor asker_;
  std::unique_ptr<runtime> runtime_;
  std::atomic<call_key> next_key_{1000};
};

/// All text of a result.
std::string text_of(const tool_result& result);

} // namespace troupe::test
