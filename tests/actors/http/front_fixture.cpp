#include "tests/actors/http/front_fixture.hpp"

#include "actors/error.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <stdexcept>
#include <utility>

namespace troupe::testing {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Far more than anything here takes, so that only a hang reaches it.
constexpr auto patience = 20s;

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

front_fixture::front_fixture(const config::server_options& options, http_streaming streaming,
                             milliseconds queue_wait, std::shared_ptr<memory_watch> memory)
    : queue_wait_(queue_wait), memory_(std::move(memory)), sessions_(spawn_fake_sessions(system_, flooded)),
      files_(system_.spawn(fake_mcp_server)), gone_(system_.spawn(fake_mcp_server)) {
  caf::anon_send_exit(gone_, caf::exit_reason::kill);
  self_->wait_for(gone_);
  front = spawn(options, streaming);
  port_ = port_of(front).value();
}

front_fixture::~front_fixture() {
  caf::anon_send_exit(front, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(sessions_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(files_, caf::exit_reason::user_shutdown);
}

http_front_actor front_fixture::spawn(const config::server_options& options, http_streaming streaming) {
  http_backend backend;
  backend.sessions = sessions_;
  backend.agents = {"triage", "helper"};
  backend.run_timeout = 1ms;
  backend.queue_wait = queue_wait_;
  backend.memory = memory_;
  backend.mcp_servers = {{"files", files_}, {"gone", gone_}};
  return spawn_http_front(system_, *reactor, options, std::move(backend), streaming);
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

std::string front_fixture::wait_for_cancelled() {
  std::string run_id;
  self_->request(sessions_, patience, cancelled_atom::value)
      .receive([&](const std::string& which) { run_id = which; },
               [](const caf::error&) { throw std::runtime_error("no run is cancelled"); });
  return run_id;
}

} // namespace troupe::testing
