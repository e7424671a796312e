#pragma once

#include "actors/io/reactor.hpp"
#include "actors/system_config.hpp"
#include "actors/wiring.hpp"

#include <boost/asio/io_context.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::test {

/// Something to do inside an actor: promises may be kept, and requests made, nowhere else. `self` is null in
/// typed ones.
struct task {
  std::function<void(caf::event_based_actor* self)> run;
};

} // namespace troupe::test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::test::task)

namespace troupe::test {

/// A model whose calls wait until the test answers them. Everything runs on the test's thread.
struct fake_model {
  struct call {
    call_key key;
    model_request_ptr request;
    caf::typed_response_promise<model_response> promise;
    caf::strong_actor_ptr listener;
  };
  std::deque<call> calls;
  std::vector<call_key> cancelled;
  /// Bytes of progress that were dealt with.
  std::uint64_t consumed = 0;
  caf::typed_actor<caf::reacts_to<task>> keeper;
  /// Tool calls so far: each has an id of its own.
  unsigned made = 0;

  /// Answers the oldest call.
  void says(std::string text);
  void calls_tools(std::vector<std::pair<std::string, std::string>> names_and_arguments,
                   std::string aside = {});
  void fails(const error& reason);
  /// Shows the listener of the oldest call some of the answer.
  void grows(model_deltas deltas, std::uint64_t bytes);

private:
  void answer(model_response response);
  call take_oldest();
};

/// A tool whose calls wait until the test answers them.
struct fake_tool {
  std::deque<caf::typed_response_promise<tool_result>> open;
  caf::typed_actor<caf::reacts_to<task>> keeper;

  void answer(std::size_t index, tool_result result);
  void fail(std::size_t index, const caf::error& reason);
};

/// Like `caf::actor_system_config` of Troupe, on CAF's scheduler of virtual time.
struct virtual_config : system_config {
  virtual_config();
};

/// What came back for a request; empty until it did.
template <class T>
struct answer {
  std::optional<T> value;
  std::optional<error> failure;
  /// Who has answered with the value.
  caf::actor_addr from{};
  bool came() const { return value || failure; }
  /// Of the failure, or nothing.
  std::optional<errc> code() const { return failure ? std::optional(failure->code) : std::nullopt; }
};

/// An actor system without threads and clock: `run` handles all messages, `advance` passes time.
class stage {
public:
  stage();
  ~stage();

  /// Agents "triage" (hands off to "ops") and "ops", on `model`.
  void begin(runtime_options options);
  static runtime_options two_agents();

  /// A tool for an agent, played by `tool`.
  code_tool fake(const std::string& name, const std::shared_ptr<fake_tool>& tool);

  void run();
  /// Lets so many actors go on, or fewer if none has anything to do.
  void run(int messages);
  void advance(std::chrono::milliseconds time);

  /// Sends a prompt; the answer is filled in by `run`.
  std::shared_ptr<answer<chat_reply>> chat(chat_request request);
  std::shared_ptr<answer<session_record_ptr>> load(const std::string& session_id);

  template <class T, class Handle, class... Args>
  std::shared_ptr<answer<T>> ask(const Handle& handle, const Args&... what) {
    auto box = std::make_shared<answer<T>>();
    caf::anon_send(asker_, task{[box, handle, what...](caf::event_based_actor* self) {
                     // Longer than all that is tested.
                     self->request(handle, std::chrono::minutes(24 * 60), what...)
                         .then(
                             [box, self](const T& value) {
                               box->value = value;
                               box->from = caf::actor_cast<caf::actor_addr>(self->current_sender());
                             },
                             [box](const caf::error& reason) { box->failure = from_caf(reason); });
                   }});
    return box;
  }

  /// Events of all runs started by `chat`, in short: "agent:triage", "handoff:triage>ops", "tool:a",
  /// "done:a".
  std::vector<std::string> events;
  /// Whether the watcher of runs says at once that it has dealt with an event; else `acknowledge_all` does.
  bool acknowledges = true;
  std::vector<caf::strong_actor_ptr> unacknowledged;
  void acknowledge_all();
  std::shared_ptr<fake_model> model = std::make_shared<fake_model>();
  /// As they were spawned; those of now are in `where`.
  cast actors;
  std::shared_ptr<directory> where;

  caf::actor_system& system() { return *system_; }

private:
  virtual_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_;
  boost::asio::io_context context_;
  std::unique_ptr<io::reactor> io_;
  caf::actor asker_;
  observer_actor observer_;
  std::vector<tool_actor> tools_;
};

} // namespace troupe::test
