#include "actors/http/run_stream.hpp"

#include "actors/ask.hpp"
#include "actors/error.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe::http {

namespace {

class stream_state {
public:
  explicit stream_state(run_stream_actor::pointer self) : self_(self) {}

  void start(run_stream_setup setup);
  void tell(const run_event& what);
  void taken(std::uint64_t bytes) { flow_.taken(bytes, acknowledge); }
  void source_ended(const caf::actor_addr& which) { flow_.ended(which); }
  void give_up();

  const char* name = "run_stream";

private:
  void write(sse_event event);
  void complete(sse_event last);
  void fail(const error& reason);
  void cancel_run();
  static void acknowledge(const caf::actor_addr& source, std::uint64_t events);

  run_stream_actor::pointer self_;
  request_id id_ = 0;
  std::weak_ptr<server> way_out_;
  sessions_actor sessions_;
  std::string session_id_;
  std::string run_id_;
  bool begun_ = false;
  /// By run actor: the run may have been handed on, or have started others that tell of themselves too.
  event_flow<caf::actor_addr> flow_{0};
};

using stream_pointer = run_stream_actor::stateful_pointer<stream_state>;

void stream_state::start(run_stream_setup setup) {
  id_ = setup.id;
  way_out_ = std::move(setup.way_out);
  sessions_ = setup.sessions;
  flow_ = event_flow<caf::actor_addr>(setup.buffer_bytes);
  if (const auto* chat = std::get_if<chat_request>(&setup.what))
    session_id_ = chat->session_id;
  std::visit(
      [&](auto& what) {
        run_id_ = what.run_id;
        ask<chat_reply>(
            self_, sessions_, setup.timeout, [this](const chat_reply& reply) { complete(last_event(reply)); },
            [this](const caf::error& reason) {
              if (reason == caf::sec::request_timeout)
                cancel_run();
              fail(from_caf(reason));
            },
            std::move(what), caf::actor_cast<observer_actor>(self_));
      },
      setup.what);
}

void stream_state::tell(const run_event& what) {
  if (const auto* started = std::get_if<run_started>(&what))
    session_id_ = started->session_id;
  auto event = to_sse(what);
  const auto bytes = event ? event->data.size() : 0;
  if (event)
    write(std::move(*event));
  const auto& sender = self_->current_sender();
  const auto is_new = flow_.came(caf::actor_cast<caf::actor_addr>(sender), bytes, acknowledge);
  if (is_new && sender)
    self_->monitor(sender);
}

void stream_state::write(sse_event event) {
  const auto out = way_out_.lock();
  if (!out)
    return;
  if (!std::exchange(begun_, true))
    out->begin_stream(id_);
  out->write(id_, std::move(event));
}

void stream_state::complete(sse_event last) {
  write(std::move(last));
  if (const auto out = way_out_.lock())
    out->end_stream(id_);
  self_->quit();
}

void stream_state::fail(const error& reason) {
  // The server makes a last event of it if the answer has begun.
  if (const auto out = way_out_.lock())
    out->reply(id_, refuse(reason, session_id_, run_id_));
  self_->quit();
}

void stream_state::give_up() {
  cancel_run();
  self_->quit();
}

void stream_state::cancel_run() {
  caf::anon_send(sessions_, cancel_atom::value, run_id_, cancel_mode::at_once);
}

void stream_state::acknowledge(const caf::actor_addr& source, std::uint64_t events) {
  if (const auto still = caf::actor_cast<caf::actor>(source))
    caf::anon_send(still, consumed_atom::value, events);
}

run_stream_actor::behavior_type run_stream(stream_pointer self, run_stream_setup setup) {
  self->set_down_handler([self](const caf::down_msg& down) { self->state.source_ended(down.source); });
  self->state.start(std::move(setup));
  return {
      [self](const run_event& what) { self->state.tell(what); },
      [self](written_atom, std::uint64_t bytes) { self->state.taken(bytes); },
      [self](gone_atom) { self->state.give_up(); },
  };
}

} // namespace

run_stream_actor spawn_run_stream(caf::actor_system& system, run_stream_setup setup) {
  return system.spawn(run_stream, std::move(setup));
}

} // namespace troupe::http
