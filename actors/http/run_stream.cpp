#include "actors/http/run_stream.hpp"

#include "actors/ask.hpp"
#include "actors/error.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
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
  void taken(std::uint64_t bytes) { acknowledge(flow_.taken(bytes)); }
  void give_up();

  const char* name = "run_stream";

private:
  void write(sse_event event);
  void complete(sse_event last);
  void fail(const error& reason);
  void acknowledge(std::uint64_t events) const;

  run_stream_actor::pointer self_;
  request_id id_ = 0;
  std::weak_ptr<server> way_out_;
  sessions_actor sessions_;
  std::string session_id_;
  std::string run_id_;
  bool begun_ = false;
  event_flow flow_{0};
  /// Who sent the last event: the run, which may have been handed on.
  caf::strong_actor_ptr source_;
};

using stream_pointer = run_stream_actor::stateful_pointer<stream_state>;

void stream_state::start(run_stream_setup setup) {
  id_ = setup.id;
  way_out_ = std::move(setup.way_out);
  sessions_ = setup.sessions;
  flow_ = event_flow(setup.buffer_bytes);
  if (const auto* chat = std::get_if<chat_request>(&setup.what))
    session_id_ = chat->session_id;
  std::visit(
      [&](auto& what) {
        run_id_ = what.run_id;
        ask<chat_reply>(
            self_, sessions_, setup.timeout, [this](const chat_reply& reply) { complete(last_event(reply)); },
            [this](const caf::error& reason) { fail(from_caf(reason)); }, std::move(what),
            caf::actor_cast<observer_actor>(self_));
      },
      setup.what);
}

void stream_state::tell(const run_event& what) {
  if (const auto* started = std::get_if<run_started>(&what))
    session_id_ = started->session_id;
  if (const auto& sender = self_->current_sender(); sender != source_) {
    acknowledge(flow_.change_source());
    source_ = sender;
  }
  auto event = to_sse(what);
  const auto bytes = event ? event->data.size() : 0;
  if (event)
    write(std::move(*event));
  acknowledge(flow_.came(bytes));
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
  caf::anon_send(sessions_, cancel_atom::value, run_id_, cancel_mode::at_once);
  self_->quit();
}

void stream_state::acknowledge(std::uint64_t events) const {
  if (events > 0 && source_)
    caf::anon_send(caf::actor_cast<caf::actor>(source_), consumed_atom::value, events);
}

run_stream_actor::behavior_type run_stream(stream_pointer self, run_stream_setup setup) {
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
