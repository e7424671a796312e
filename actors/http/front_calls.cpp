#include "actors/http/front_state.hpp"

#include "actors/ask.hpp"
#include "actors/http/api.hpp"
#include "actors/http/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/metrics/exposition.hpp"
#include "actors/run_id.hpp"
#include "libagent/auth/sha256.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

#include <string>
#include <variant>

namespace troupe::http {

namespace {

/// Answers a call with what an actor says.
template <class Reply, class Show>
auto answer_with(front_pointer self, request_id id, Show show) {
  return [self, id, show = std::move(show)](const Reply& value) {
    self->state.watched.erase(id);
    self->state.leave(id);
    self->state.server->reply(id, show(value));
  };
}

/// Answers a call with why an actor has nothing to say.
auto refuse_with(front_pointer self, request_id id, std::string session_id = {}, std::string run_id = {}) {
  return
      [self, id, session_id = std::move(session_id), run_id = std::move(run_id)](const caf::error& reason) {
        self->state.watched.erase(id);
        self->state.leave(id);
        self->state.server->reply(id, refuse(from_caf(reason), session_id, run_id));
      };
}

/// How long to wait for a run, or for all that wait for one session.
std::chrono::milliseconds patience(const http_backend& backend) {
  return backend.run_timeout + backend.queue_wait;
}

/// Refuses as above; a run that is given up does not go on unseen.
auto refuse_run(front_pointer self, request_id id, std::string session_id, const std::string& run_id,
                const caller& who) {
  return [self, run_id, who,
          refuse = refuse_with(self, id, std::move(session_id), run_id)](const caf::error& reason) {
    if (reason == caf::sec::request_timeout)
      caf::anon_send(self->state.backend.sessions, cancel_atom::value, run_id, cancel_mode::at_once, who);
    refuse(reason);
  };
}

/// The statuses of all servers, as they come in.
struct status_round {
  std::vector<mcp_status> servers;
  std::size_t missing = 0;
};

void ask_status(front_pointer self, request_id id, const std::shared_ptr<status_round>& round,
                std::size_t i) {
  const auto arrived = [self, id, round, i](const mcp_status& status) {
    round->servers[i] = status;
    if (--round->missing == 0)
      self->state.server->reply(id, show(round->servers));
  };
  const auto& [name, server] = self->state.backend.mcp_servers[i];
  self->request(server, defaults::status_timeout, status_atom::value)
      .then(arrived, [arrived, name = name](const caf::error& reason) {
        mcp_status status;
        status.name = name;
        status.state = mcp_state::failed;
        status.last_error = from_caf(reason).detail;
        arrived(status);
      });
}

/// Starts an actor that answers by a stream.
template <class Request>
void stream(front_pointer self, request_id id, Request&& what) {
  const auto& [backend, streaming] = std::tie(self->state.backend, self->state.streaming);
  bool cancels = false;
  if constexpr (requires { what.ends_with_client; })
    cancels = what.ends_with_client;
  auto watcher = spawn_run_stream(self->home_system(), {.id = id,
                                                        .way_out = self->state.server,
                                                        .sessions = backend.sessions,
                                                        .what = std::forward<Request>(what),
                                                        .cancels = cancels,
                                                        .timeout = patience(backend),
                                                        .buffer_bytes = streaming.buffer_bytes});
  watcher->attach_functor([front = caf::actor_cast<caf::weak_actor_ptr>(self), id](const caf::error& reason) {
    tell(front, stream_over{id, !reason || reason == caf::exit_reason::normal});
  });
  self->state.streams.emplace(id, std::move(watcher));
}

/// Carries calls out.
struct call_carrier {
  front_pointer self;
  request_id id;
  const caller& who;

  void operator()(chat_request& chat) const {
    chat.by = who;
    if (chat.session_id.empty()) {
      chat.session_id = new_session_id();
      chat.is_new = true;
    }
    // The same key of the same subject is the same run.
    chat.run_id =
        chat.key_hash.empty()
            ? new_run_id()
            : "run_" + auth::sha256_hex(chat.by.subject + '\n' + chat.idempotency_key).substr(0, 32);
    if (!chat.key_hash.empty() && !chat.background)
      self->state.join(id, chat.run_id);
    chat.is_logged = chat.background;
    if (chat.streamed && !chat.background)
      return stream(self, id, std::move(chat));
    if (chat.ends_with_client)
      self->state.watched.emplace(id, std::pair(chat.run_id, who));
    const auto& backend = self->state.backend;
    auto refuse = refuse_run(self, id, chat.session_id, chat.run_id, who);
    ask<chat_reply>(self, backend.sessions, patience(backend),
                    answer_with<chat_reply>(self, id, [](const chat_reply& reply) { return show(reply); }),
                    std::move(refuse), std::move(chat));
  }

  void operator()(resume_request& resume) const {
    resume.by = who;
    if (resume.streamed)
      return stream(self, id, std::move(resume));
    if (resume.ends_with_client)
      self->state.watched.emplace(id, std::pair(resume.run_id, who));
    const auto& backend = self->state.backend;
    auto refuse = refuse_run(self, id, {}, resume.run_id, who);
    ask<chat_reply>(self, backend.sessions, patience(backend),
                    answer_with<chat_reply>(self, id, [](const chat_reply& reply) { return show(reply); }),
                    std::move(refuse), std::move(resume), observer_actor());
  }

  void operator()(show_events& wanted) const {
    stream(self, id, follow_run{wanted.run_id, wanted.last_event, who});
  }

  void operator()(show_run& wanted) const {
    self->request(self->state.backend.sessions, defaults::store_timeout, run_atom::value, wanted.run_id, who)
        .then(answer_with<run_record_ptr>(self, id,
                                          [as_events = wanted.as_events](const run_record_ptr& record) {
                                            return as_events ? head_of_stream() : show(*record);
                                          }),
              refuse_with(self, id, {}, wanted.run_id));
  }

  void operator()(cancel_run& unwanted) const {
    self->request(self->state.backend.sessions, defaults::store_timeout, cancel_atom::value, unwanted.run_id,
                  unwanted.mode, who)
        .then(answer_with<run_record_ptr>(self, id,
                                          [](const run_record_ptr& record) { return show(*record, 202); }),
              refuse_with(self, id, {}, unwanted.run_id));
  }

  void operator()(show_session& wanted) const {
    self->request(self->state.backend.sessions, defaults::store_timeout, info_atom::value, wanted.session_id,
                  who)
        .then(answer_with<session_record_ptr>(
                  self, id,
                  [wanted](const session_record_ptr& record) { return show(wanted.session_id, *record); }),
              refuse_with(self, id));
  }

  void operator()(forget_session& unwanted) const {
    const auto& backend = self->state.backend;
    ask<acknowledgement>(self, backend.sessions, patience(backend),
                         answer_with<acknowledgement>(self, id,
                                                      [](acknowledgement) {
                                                        return answer{204, {}, {}, false};
                                                      }),
                         refuse_with(self, id), erase_atom::value, unwanted.session_id, who);
  }

  void operator()(show_system) const {
    const auto& supervisor = self->state.backend.supervisor;
    if (!supervisor)
      return self->state.server->reply(id, refuse(fail(errc::unavailable, "nobody watches this front end")));
    ask<system_status_ptr>(
        self, supervisor, defaults::status_timeout,
        answer_with<system_status_ptr>(self, id, [](const system_status_ptr& now) { return show(*now); }),
        refuse_with(self, id), status_atom::value);
  }

  void operator()(show_metrics) const {
    const auto tell = [front = self, request = id](const system_status* system) {
      answer told = succeed({});
      told.body = exposition(*front->state.backend.counted, system, read_process_usage());
      told.type = exposition_type;
      front->state.server->reply(request, std::move(told));
    };
    const auto& supervisor = self->state.backend.supervisor;
    if (!supervisor)
      return tell(nullptr);
    // What was counted can be told without those who do not answer.
    ask<system_status_ptr>(
        self, supervisor, defaults::status_timeout, [tell](const system_status_ptr& now) { tell(now.get()); },
        [tell](const caf::error&) { tell(nullptr); }, status_atom::value);
  }

  void operator()(list_servers) const {
    const auto count = self->state.backend.mcp_servers.size();
    const auto round = std::make_shared<status_round>(status_round{std::vector<mcp_status>(count), count});
    if (count == 0)
      self->state.server->reply(id, show(round->servers));
    for (std::size_t i = 0; i < count; ++i)
      ask_status(self, id, round, i);
  }
};

} // namespace

void carry_out(front_pointer self, incoming_call& incoming) {
  try {
    std::visit(call_carrier{self, incoming.id, incoming.who}, incoming.what);
  } catch (const std::exception& thrown) {
    log().error("http: {}", thrown.what());
    self->state.server->reply(incoming.id, refuse(fail(errc::internal, "an exception in the front end")));
  }
}

void client_gone(front_pointer self, request_id id) {
  // One that has sent its request again reads along by that.
  const bool is_read = self->state.leave(id);
  if (const auto run = self->state.watched.extract(id); !run.empty() && !is_read)
    caf::anon_send(self->state.backend.sessions, cancel_atom::value, run.mapped().first, cancel_mode::at_once,
                   run.mapped().second);
  if (is_read)
    tell_stream(self, id, left_atom::value);
  else
    tell_stream(self, id, gone_atom::value);
}

void forget_stream(front_pointer self, const stream_over& ended) {
  self->state.streams.erase(ended.id);
  self->state.leave(ended.id);
  if (!ended.in_order)
    self->state.server->reply(ended.id, refuse(fail(errc::internal, "an exception in the front end")));
}

} // namespace troupe::http
