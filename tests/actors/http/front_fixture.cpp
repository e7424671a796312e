#include "tests/actors/http/front_fixture.hpp"

#include "actors/error.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe::testing {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Far more than anything here takes, so that only a hang reaches it.
constexpr auto patience = 20s;

struct fake_state {
  std::vector<std::pair<chat_request, caf::typed_response_promise<chat_reply>>> held;
  std::vector<std::pair<std::size_t, caf::typed_response_promise<std::size_t>>> waiting;

  void hold(chat_request request, caf::typed_response_promise<chat_reply> promise) {
    held.emplace_back(std::move(request), std::move(promise));
    tell_waiting();
  }

  void tell_waiting() {
    for (auto& [count, promise] : waiting)
      if (held.size() >= count)
        promise.deliver(held.size());
    std::erase_if(waiting, [this](const auto& each) { return held.size() >= each.first; });
  }
};

chat_reply reply_to(const chat_request& request) {
  chat_reply reply;
  reply.result = request.prompt;
  reply.session_id = request.session_id;
  reply.agent = request.agent.empty() ? "triage" : request.agent;
  return reply;
}

using fake_pointer = fake_sessions_actor::stateful_pointer<fake_state>;

caf::result<chat_reply> chat(fake_pointer self, const chat_request& request) {
  constexpr std::string_view failing = "fail ";
  if (request.prompt.starts_with(failing)) {
    const auto code = static_cast<errc>(std::stoi(request.prompt.substr(failing.size())));
    return to_caf(fail(code, "as asked"));
  }
  if (request.prompt != "hold")
    return reply_to(request);
  auto promise = self->make_response_promise<chat_reply>();
  self->state.hold(request, promise);
  return promise;
}

session_record_ptr known_session() {
  session_record record;
  record.agent = "helper";
  record.items = {user_message{"Hi"}, assistant_message{"helper", "Hello"}};
  return std::make_shared<const session_record>(std::move(record));
}

fake_sessions_actor::behavior_type fake_sessions(fake_pointer self) {
  return {
      [self](const chat_request& request) { return chat(self, request); },
      [self](const chat_request& request, const observer_actor&) { return chat(self, request); },
      [](cancel_atom, const std::string&, std::uint64_t) {},
      [](info_atom, const std::string& id) -> caf::result<session_record_ptr> {
        if (id != "known" && id != "a/b%c")
          return to_caf(fail(errc::unknown_session, "there is no session '" + id + "'"));
        return known_session();
      },
      [](erase_atom, const std::string& id) -> caf::result<acknowledgement> {
        if (id != "known")
          return to_caf(fail(errc::unknown_session, "there is no session '" + id + "'"));
        return acknowledgement{};
      },
      [](stop_atom, caf::timespan) { return acknowledgement{}; },
      [](finished_atom, const std::string&, std::uint64_t) {},
      [self](held_atom, std::size_t count) {
        auto promise = self->make_response_promise<std::size_t>();
        self->state.waiting.emplace_back(count, promise);
        self->state.tell_waiting();
        return promise;
      },
      [self](release_atom) {
        const auto released = std::exchange(self->state.held, {});
        for (auto [request, promise] : released)
          promise.deliver(reply_to(request));
        return released.size();
      },
  };
}

mcp_server_actor::behavior_type fake_mcp_server() {
  return {
      [](const tool_invocation&) { return tool_result{}; },
      [](cancel_atom, call_key) {},
      [](tools_atom) { return shared_tools(); },
      [](status_atom) {
        mcp_status status;
        status.name = "files";
        status.state = mcp_state::ready;
        status.pid = 4711;
        status.protocol_version = "2025-06-18";
        status.tools = {"read", "write"};
        status.restarts = 2;
        return status;
      },
      [](stop_atom) { return acknowledgement{}; },
  };
}

} // namespace

config::server_options front_fixture::quick_options() {
  config::server_options options;
  options.port = 0;
  options.max_body_bytes = 4096;
  return options;
}

front_fixture::front_fixture(const config::server_options& options)
    : sessions_(system_.spawn(fake_sessions)), files_(system_.spawn(fake_mcp_server)),
      gone_(system_.spawn(fake_mcp_server)) {
  caf::anon_send_exit(gone_, caf::exit_reason::kill);
  self_->wait_for(gone_);
  front = spawn(options);
  port_ = port_of(front).value();
}

front_fixture::~front_fixture() {
  caf::anon_send_exit(front, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(sessions_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(files_, caf::exit_reason::user_shutdown);
}

http_front_actor front_fixture::spawn(const config::server_options& options) {
  http_backend backend;
  backend.sessions = sessions_;
  backend.agents = {"triage", "helper"};
  backend.mcp_servers = {{"files", files_}, {"gone", gone_}};
  return spawn_http_front(system_, *reactor, options, std::move(backend));
}

result<std::uint16_t> front_fixture::port_of(const http_front_actor& which) {
  result<std::uint16_t> outcome = fail(errc::internal, "no answer");
  self_->request(which, patience, port_atom::value)
      .receive([&](std::uint16_t port) { outcome = port; },
               [&](const caf::error& why) { outcome = from_caf(why); });
  return outcome;
}

void front_fixture::stop(milliseconds grace) {
  begin_stop(grace);
  wait_for_stop();
}

void front_fixture::begin_stop(const http_front_actor& which, milliseconds grace) {
  stopping_ = std::async(std::launch::async, [this, which, grace] {
    caf::scoped_actor asker(system_);
    asker->request(which, patience, stop_atom::value, caf::timespan(grace))
        .receive([](acknowledgement) {},
                 [](const caf::error&) { throw std::runtime_error("the front end does not stop"); });
  });
}

void front_fixture::wait_for_stop() {
  stopping_.get();
}

void front_fixture::wait_for_exit(const http_front_actor& which) {
  self_->wait_for(which);
}

void front_fixture::wait_for_held(std::size_t count) {
  self_->request(sessions_, patience, held_atom::value, count)
      .receive([](std::size_t) {},
               [](const caf::error&) { throw std::runtime_error("too few prompts arrive"); });
}

void front_fixture::release() {
  self_->request(sessions_, patience, release_atom::value)
      .receive([](std::size_t) {},
               [](const caf::error&) { throw std::runtime_error("nothing is released"); });
}

} // namespace troupe::testing
