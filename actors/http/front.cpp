#include "actors/http/front.hpp"

#include "actors/ask.hpp"
#include "actors/error.hpp"
#include "actors/http/api.hpp"
#include "actors/http/defaults.hpp"
#include "actors/http/server.hpp"
#include "actors/io/log.hpp"
#include "actors/runtime.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace troupe {

namespace {

/// A request that the server hands over.
struct incoming_call {
  http::request_id id = 0;
  http::call what;
};

/// The server listens, or cannot.
struct opened {
  std::uint16_t port = 0;
  std::optional<error> failure;
};

using closed_atom = caf::atom_constant<caf::atom("closed")>;

} // namespace

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::incoming_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::opened)

namespace troupe {

namespace {

using std::chrono::milliseconds;

using front_actor = http_front_actor::extend<
    // To be answered with `server::reply`.
    caf::reacts_to<incoming_call>, caf::reacts_to<opened>,
    // The server has closed everything; it sends nothing more.
    caf::reacts_to<closed_atom>>;

struct front_state {
  http_backend backend;
  std::unique_ptr<http::server> server;
  std::optional<opened> outcome;
  bool closed = false;
  std::vector<caf::typed_response_promise<std::uint16_t>> wait_for_port;
  std::vector<caf::typed_response_promise<acknowledgement>> wait_for_close;

  void deliver_port(caf::typed_response_promise<std::uint16_t>& promise) const {
    if (outcome->failure)
      promise.deliver(to_caf(*outcome->failure));
    else
      promise.deliver(outcome->port);
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

/// Answers those who wait for the end, and quits.
void end(front_pointer self) {
  for (auto& promise : self->state.wait_for_close)
    promise.deliver(acknowledgement{});
  self->quit();
}

/// Answers a call with what an actor says.
template <class Reply, class Show>
auto answer_with(front_pointer self, http::request_id id, Show show) {
  return
      [self, id, show = std::move(show)](const Reply& value) { self->state.server->reply(id, show(value)); };
}

/// Answers a call with why an actor has nothing to say.
auto refuse_with(front_pointer self, http::request_id id, std::string session_id = {}) {
  return [self, id, session_id = std::move(session_id)](const caf::error& reason) {
    self->state.server->reply(id, http::refuse(from_caf(reason), session_id));
  };
}

/// The statuses of all servers, as they come in.
struct status_round {
  std::vector<mcp_status> servers;
  std::size_t missing = 0;
};

void ask_status(front_pointer self, http::request_id id, const std::shared_ptr<status_round>& round,
                std::size_t i) {
  const auto arrived = [self, id, round, i](const mcp_status& status) {
    round->servers[i] = status;
    if (--round->missing == 0)
      self->state.server->reply(id, http::show(round->servers));
  };
  const auto& [name, server] = self->state.backend.mcp_servers[i];
  self->request(server, http::defaults::status_timeout, status_atom::value)
      .then(arrived, [arrived, name = name](const caf::error& reason) {
        mcp_status status;
        status.name = name;
        status.state = mcp_state::failed;
        status.last_error = from_caf(reason).detail;
        arrived(status);
      });
}

/// Carries calls out.
struct caller {
  front_pointer self;
  http::request_id id;

  void operator()(chat_request& chat) const {
    if (chat.session_id.empty()) {
      chat.session_id = new_session_id();
      chat.is_new = true;
    }
    const auto& backend = self->state.backend;
    auto session_id = chat.session_id;
    ask<chat_reply>(
        self, backend.sessions, backend.run_timeout + http::defaults::run_grace,
        answer_with<chat_reply>(self, id, [](const chat_reply& reply) { return http::show(reply); }),
        refuse_with(self, id, std::move(session_id)), std::move(chat));
  }

  void operator()(http::show_session& wanted) const {
    self->request(self->state.backend.sessions, http::defaults::store_timeout, info_atom::value,
                  wanted.session_id)
        .then(answer_with<session_record_ptr>(self, id,
                                              [wanted](const session_record_ptr& record) {
                                                return http::show(wanted.session_id, *record);
                                              }),
              refuse_with(self, id));
  }

  void operator()(http::forget_session& unwanted) const {
    const auto& backend = self->state.backend;
    self->request(backend.sessions, backend.run_timeout + http::defaults::store_timeout, erase_atom::value,
                  unwanted.session_id)
        .then(answer_with<acknowledgement>(self, id,
                                           [](acknowledgement) {
                                             return http::answer{204, {}, {}, false};
                                           }),
              refuse_with(self, id));
  }

  void operator()(http::list_servers) const {
    const auto count = self->state.backend.mcp_servers.size();
    const auto round = std::make_shared<status_round>(status_round{std::vector<mcp_status>(count), count});
    if (count == 0)
      self->state.server->reply(id, http::show(round->servers));
    for (std::size_t i = 0; i < count; ++i)
      ask_status(self, id, round, i);
  }
};

void carry_out(front_pointer self, incoming_call& incoming) {
  try {
    std::visit(caller{self, incoming.id}, incoming.what);
  } catch (const std::exception& thrown) {
    log().error("http: {}", thrown.what());
    self->state.server->reply(incoming.id,
                              http::refuse(fail(errc::internal, "an exception in the front end")));
  }
}

/// Sends to the front end as long as it lives; the server must not keep it alive.
template <class... Args>
bool tell(const caf::weak_actor_ptr& front, Args&&... args) {
  const auto strong = front.lock();
  if (!strong)
    return false;
  caf::anon_send(caf::actor_cast<front_actor>(strong), std::forward<Args>(args)...);
  return true;
}

http::server::handlers handlers_for(const caf::weak_actor_ptr& front) {
  http::server::handlers events;
  events.on_opened = [front](result<std::uint16_t> port) {
    tell(front, port ? opened{*port, {}} : opened{0, port.error()});
  };
  events.on_call = [front](http::request_id id, http::call what) {
    return tell(front, incoming_call{id, std::move(what)});
  };
  events.on_closed = [front] { tell(front, closed_atom::value); };
  return events;
}

/// What the actor starts with.
struct front_setup {
  std::reference_wrapper<io::reactor> io;
  config::server_options options;
  http_backend backend;
};

front_actor::behavior_type http_front(front_pointer self, const front_setup& setup) {
  auto& state = self->state;
  state.backend = setup.backend;
  auto api = std::make_shared<const http::api>(setup.options, setup.backend.agents);
  state.server = std::make_unique<http::server>(setup.io, setup.options, std::move(api),
                                                handlers_for(caf::actor_cast<caf::weak_actor_ptr>(self)));
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
      [self](opened& how) { self->state.on_opened(std::move(how)); },
      [self](closed_atom) {
        self->state.on_closed();
        if (!self->state.wait_for_close.empty())
          end(self);
      },
  };
}

} // namespace

http_front_actor spawn_http_front(caf::actor_system& system, io::reactor& io, config::server_options options,
                                  http_backend backend) {
  return system.spawn(http_front, front_setup{io, std::move(options), std::move(backend)});
}

} // namespace troupe
