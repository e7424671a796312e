#include "actors/http/front.hpp"

#include "actors/http/api.hpp"
#include "actors/http/front_state.hpp"
#include "actors/http/server.hpp"
#include "actors/metrics/metrics.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace troupe::http {

namespace {

using std::chrono::milliseconds;

/// Answers those who wait for the end, and quits.
void end(front_pointer self) {
  for (auto& promise : self->state.wait_for_close)
    promise.deliver(acknowledgement{});
  self->quit();
}

server::handlers handlers_for(const caf::weak_actor_ptr& front) {
  server::handlers events;
  events.on_opened = [front](result<std::uint16_t> port) {
    tell(front, port ? opened{*port, {}} : opened{0, port.error()});
  };
  events.on_call = [front](request_id id, call what, caller who) {
    return tell(front, incoming_call{id, std::move(what), std::move(who)});
  };
  events.on_written = [front](request_id id, std::size_t bytes) {
    tell(front, written_atom::value, id, std::uint64_t{bytes});
  };
  events.on_gone = [front](request_id id) { tell(front, gone_atom::value, id); };
  events.on_closed = [front] { tell(front, closed_atom::value); };
  return events;
}

/// What the actor starts with.
struct front_setup {
  std::reference_wrapper<io::reactor> io;
  config::server_options options;
  http_backend backend;
  http_streaming streaming;
};

front_actor::behavior_type http_front(front_pointer self, const front_setup& setup) {
  auto& state = self->state;
  state.backend = setup.backend;
  if (!state.backend.counted)
    state.backend.counted = metrics::make();
  state.streaming = setup.streaming;
  auto decisions = std::make_shared<const api>(setup.options, setup.backend.agents);
  state.server = std::make_shared<server>(
      setup.io, setup.options, setup.streaming.keep_alive, std::move(decisions), state.backend.counted,
      state.backend.memory, handlers_for(caf::actor_cast<caf::weak_actor_ptr>(self)), setup.backend.hides);
  return {
      [self](port_atom) {
        auto promise = self->make_response_promise<std::uint16_t>();
        if (self->state.outcome)
          self->state.deliver_port(promise);
        else
          self->state.wait_for_port.push_back(promise);
        return promise;
      },
      [self](stop_atom, caf::timespan grace) {
        auto promise = self->make_response_promise<acknowledgement>();
        self->state.wait_for_close.push_back(promise);
        if (self->state.closed)
          end(self);
        else
          self->state.server->stop(std::chrono::duration_cast<milliseconds>(grace));
        return promise;
      },
      [self](incoming_call& incoming) { carry_out(self, incoming); },
      [self](written_atom, request_id id, std::uint64_t bytes) {
        tell_stream(self, id, written_atom::value, bytes);
      },
      [self](wire_atom, const http_backend_ptr& backend) { self->state.renew(*backend); },
      [self](status_atom) {
        auto status = status_of(self);
        status.in_flight = self->state.streams.size();
        return status;
      },
      [self](gone_atom, request_id id) { client_gone(self, id); },
      [self](const stream_over& ended) { forget_stream(self, ended); },
      [self](opened& how) { self->state.on_opened(std::move(how)); },
      [self](closed_atom) {
        self->state.on_closed();
        if (!self->state.wait_for_close.empty())
          end(self);
      },
  };
}

} // namespace

} // namespace troupe::http

namespace troupe {

http_front_actor spawn_http_front(caf::actor_system& system, io::reactor& io, config::server_options options,
                                  http_backend backend, http_streaming streaming) {
  return system.spawn(http::http_front,
                      http::front_setup{io, std::move(options), std::move(backend), streaming});
}

} // namespace troupe
