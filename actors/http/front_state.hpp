#pragma once

#include "actors/caller.hpp"
#include "actors/error.hpp"
#include "actors/http/front.hpp"
#include "actors/http/run_stream.hpp"
#include "actors/http/server.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

/// What the front end's actor is made of.
namespace troupe::http {

/// A request that the server hands over.
struct incoming_call {
  request_id id = 0;
  call what;
  /// On whose behalf.
  caller who{};
};

/// The server listens, or cannot.
struct opened {
  std::uint16_t port = 0;
  std::optional<error> failure;
};

/// The actor of a streamed run has ended.
struct stream_over {
  request_id id = 0;
  bool in_order = true;
};

using closed_atom = caf::atom_constant<caf::atom("closed")>;

} // namespace troupe::http

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::http::incoming_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::http::opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::http::stream_over)

namespace troupe::http {

using front_actor = http_front_actor::extend<
    // To be answered with `server::reply`.
    caf::reacts_to<incoming_call>, caf::reacts_to<opened>,
    // The client of a streamed run has taken so many bytes; is gone.
    caf::reacts_to<written_atom, request_id, std::uint64_t>, caf::reacts_to<gone_atom, request_id>,
    caf::reacts_to<stream_over>,
    // The server has closed everything; it sends nothing more.
    caf::reacts_to<closed_atom>,
    // Serves these from now on.
    caf::reacts_to<wire_atom, http_backend_ptr>>::extend_with<observed_actor>;

/// Lives as long as the front end; what it streams then has nobody to be told to.
struct front_state {
  front_state() = default;
  front_state(const front_state&) = delete;
  front_state& operator=(const front_state&) = delete;
  ~front_state() {
    for (const auto& [id, stream] : streams)
      caf::anon_send(stream, gone_atom::value);
  }

  http_backend backend;
  http_streaming streaming;
  /// Runs that are streamed reach it too.
  std::shared_ptr<http::server> server;
  std::unordered_map<request_id, run_stream_actor> streams;
  /// Runs that end with their clients, by the requests that are not answered yet.
  std::unordered_map<request_id, std::pair<std::string, caller>> watched;
  /// The runs of requests with an `Idempotency-Key` that are not answered yet, and so many such requests each
  /// of these runs has.
  std::unordered_map<request_id, std::string> keyed;
  std::unordered_map<std::string, std::size_t> readers;
  std::optional<opened> outcome;
  bool closed = false;
  std::vector<caf::typed_response_promise<std::uint16_t>> wait_for_port;
  std::vector<caf::typed_response_promise<acknowledgement>> wait_for_close;

  void join(request_id id, const std::string& run_id) {
    keyed.emplace(id, run_id);
    ++readers[run_id];
  }

  /// The request is answered, or its client gone. Whether another one with its key is still there.
  bool leave(request_id id) {
    const auto own = keyed.extract(id);
    if (own.empty())
      return false;
    const auto known = readers.find(own.mapped());
    if (--known->second > 0)
      return true;
    readers.erase(known);
    return false;
  }

  void deliver_port(caf::typed_response_promise<std::uint16_t>& promise) const {
    if (outcome->failure)
      promise.deliver(to_caf(*outcome->failure));
    else
      promise.deliver(outcome->port);
  }

  /// How long to wait, and where to count, is the front end's own.
  void renew(const http_backend& now) {
    const auto before = std::exchange(backend, now);
    backend.queue_wait = before.queue_wait;
    backend.counted = before.counted;
    backend.memory = before.memory;
  }

  void on_opened(opened how) {
    outcome = std::move(how);
    for (auto& promise : wait_for_port)
      deliver_port(promise);
    wait_for_port.clear();
  }

  void on_closed() {
    closed = true;
    if (!outcome)
      on_opened({0, fail(errc::shutting_down, "the front end was stopped before it listened")});
  }
};

using front_pointer = front_actor::stateful_pointer<front_state>;

/// Sends to the front end as long as it lives; others must not keep it alive.
template <class... Args>
bool tell(const caf::weak_actor_ptr& front, Args&&... args) {
  const auto strong = front.lock();
  if (!strong)
    return false;
  caf::anon_send(caf::actor_cast<front_actor>(strong), std::forward<Args>(args)...);
  return true;
}

/// Carries a request out: asks the actors that it is for, and answers it.
void carry_out(front_pointer self, incoming_call& incoming);

/// Tells the actor of a streamed run.
template <class... What>
void tell_stream(front_pointer self, request_id id, const What&... what) {
  if (const auto found = self->state.streams.find(id); found != self->state.streams.end())
    caf::anon_send(found->second, what...);
}

/// The client of a request has gone away.
void client_gone(front_pointer self, request_id id);

/// The actor of a streamed run has ended.
void forget_stream(front_pointer self, const stream_over& ended);

} // namespace troupe::http
