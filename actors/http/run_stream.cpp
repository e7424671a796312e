#include "actors/http/run_stream.hpp"

#include "actors/ask.hpp"
#include "actors/error.hpp"
#include "actors/http/defaults.hpp"
#include "actors/http/unwritten_events.hpp"
#include "actors/told_event.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <utility>

namespace troupe::http {

namespace {

/// Internal: the run's log can be asked for again.
using find_log_atom = caf::atom_constant<caf::atom("findlog")>;
using following_stream_actor = run_stream_actor::extend<caf::reacts_to<find_log_atom>>;

class stream_state {
public:
  explicit stream_state(following_stream_actor::pointer self) : self_(self) {}

  void start(run_stream_setup setup);
  void taken(std::uint64_t bytes);
  void find_log();
  void give_up();

  const char* name = "run_stream";

private:
  template <class Request>
  void start_run(Request&& request);
  void read();
  void came(const run_events& found);
  /// Writes what was read, as far as there is room, and reads on.
  void write_on();
  /// The log has no more: the run is over, or has paused.
  void log_ended();
  /// The client has had all there is.
  void nothing_more();
  void write(sse_event event);
  void complete();
  /// Whether the last event is the run's end, and not that of a part of it.
  bool is_final() const;
  void fail(const error& reason);
  /// As above; a run that is given up does not go on unseen.
  void give_up_for(const caf::error& reason);
  void cancel_run();

  following_stream_actor::pointer self_;
  run_stream_setup setup_;
  std::string session_id_;
  std::string run_id_;
  std::string key_hash_;
  caller by_;
  run_log_actor log_;
  std::uint64_t last_ = 0;
  unwritten_events unwritten_;
  bool is_reading_ = false;
  bool begun_ = false;
  bool log_ended_ = false;
  /// How it ended, once that is known.
  std::optional<sse_event> end_;
  std::optional<error> failure_;
};

using stream_pointer = following_stream_actor::stateful_pointer<stream_state>;

void stream_state::start(run_stream_setup setup) {
  setup_ = std::move(setup);
  unwritten_ = unwritten_events(setup_.buffer_bytes);
  if (auto* follow = std::get_if<follow_run>(&setup_.what)) {
    run_id_ = follow->run_id;
    last_ = follow->last_event;
    by_ = follow->by;
  } else if (auto* chat = std::get_if<chat_request>(&setup_.what)) {
    session_id_ = chat->session_id;
    key_hash_ = chat->key_hash;
    start_run(std::move(*chat));
  } else {
    last_ = from_here;
    start_run(std::move(std::get<resume_request>(setup_.what)));
  }
  find_log();
}

template <class Request>
void stream_state::start_run(Request&& request) {
  run_id_ = request.run_id;
  by_ = request.by;
  request.is_logged = true;
  ask<chat_reply>(
      self_, setup_.sessions, setup_.timeout,
      [this](const chat_reply& reply) {
        end_ = last_event(reply);
        complete();
      },
      [this](const caf::error& reason) {
        if (reason == caf::sec::request_timeout)
          cancel_run();
        failure_ = from_caf(reason);
        // A run that was paused and is not resumed by this request is somebody else's to read and to cancel.
        if (std::holds_alternative<resume_request>(setup_.what) && !begun_)
          return fail(*failure_);
        complete();
      },
      std::move(request), observer_actor());
}

void stream_state::find_log() {
  const bool follows = std::holds_alternative<follow_run>(setup_.what);
  ask<caf::strong_actor_ptr>(
      self_, setup_.sessions, setup_.timeout,
      [this](const caf::strong_actor_ptr& log) {
        log_ = caf::actor_cast<run_log_actor>(log);
        read();
      },
      [this, follows](const caf::error& reason) {
        if (follows)
          return fail(from_caf(reason));
        last_ = 0;
        // It could not be started; how it failed is what counts.
        log_ended_ = true;
        complete();
      },
      events_atom::value, run_id_, by_, key_hash_);
}

void stream_state::read() {
  if (is_reading_ || log_ended_ || !log_ || !unwritten_.is_empty() || !unwritten_.has_room())
    return;
  is_reading_ = true;
  ask<run_events_ptr>(
      self_, log_, setup_.timeout,
      [this](const run_events_ptr& found) {
        is_reading_ = false;
        unwritten_.came(found);
        came(*found);
      },
      [this](const caf::error& reason) { give_up_for(reason); }, events_atom::value, last_);
}

void stream_state::came(const run_events& found) {
  if (found.is_over && last_ == from_here)
    last_ = found.last;
  // What follows the last event is the run's end, and the client has that too: HTML, section 9.2.2.
  if (found.is_over && !begun_ && std::holds_alternative<follow_run>(setup_.what) && last_ > found.last)
    return nothing_more();
  if (found.is_over)
    log_ended();
  else
    write_on();
}

void stream_state::write_on() {
  while (const auto* each = unwritten_.next()) {
    auto event = event_from_stored(each->text);
    last_ = each->number;
    write({std::move(event.name), std::move(event.data), each->number});
  }
  read();
}

void stream_state::log_ended() {
  log_ended_ = true;
  if (!std::holds_alternative<follow_run>(setup_.what))
    return complete();
  ask<run_record_ptr>(
      self_, setup_.sessions, setup_.timeout,
      [this](const run_record_ptr& record) {
        // It goes on already; its log may not know yet.
        if (record->status == run_status::running) {
          log_ended_ = false;
          self_->delayed_send(self_, defaults::log_pause, find_log_atom::value);
          return;
        }
        end_ = last_event(*record);
        complete();
      },
      [this](const caf::error& reason) { fail(from_caf(reason)); }, head_atom::value, run_id_, by_);
}

void stream_state::nothing_more() {
  if (const auto out = setup_.way_out.lock())
    out->reply(setup_.id, answer{204, {}, {}, false});
  self_->quit();
}

void stream_state::taken(std::uint64_t bytes) {
  unwritten_.taken(bytes);
  write_on();
}

void stream_state::write(sse_event event) {
  const auto out = setup_.way_out.lock();
  if (!out)
    return;
  if (!std::exchange(begun_, true))
    out->begin_stream(setup_.id);
  unwritten_.wrote(event.data.size());
  out->write(setup_.id, std::move(event));
}

bool stream_state::is_final() const {
  return end_->name != "approval_required" && (!failure_ || failure_->code != errc::shutting_down);
}

void stream_state::complete() {
  if ((!end_ && !failure_) || !log_ended_)
    return;
  // Nothing was told of it, so that it can be answered as it is.
  if (failure_ && !begun_)
    return fail(*failure_);
  if (failure_)
    end_ = last_event(refuse(*failure_, session_id_, run_id_));
  // A client that comes back after a pause, or to another server, wants what comes then.
  if (is_final())
    end_->id = last_ + 1;
  write(std::move(*end_));
  if (const auto out = setup_.way_out.lock())
    out->end_stream(setup_.id);
  self_->quit();
}

void stream_state::fail(const error& reason) {
  // The server makes a last event of it if the answer has begun.
  if (const auto out = setup_.way_out.lock())
    out->reply(setup_.id, refuse(reason, session_id_, run_id_));
  self_->quit();
}

void stream_state::give_up_for(const caf::error& reason) {
  if (reason == caf::sec::request_timeout && !std::holds_alternative<follow_run>(setup_.what))
    cancel_run();
  fail(from_caf(reason));
}

void stream_state::give_up() {
  if (setup_.cancels)
    cancel_run();
  self_->quit();
}

void stream_state::cancel_run() {
  caf::anon_send(setup_.sessions, cancel_atom::value, run_id_, cancel_mode::at_once, by_);
}

following_stream_actor::behavior_type run_stream(stream_pointer self, run_stream_setup setup) {
  self->state.start(std::move(setup));
  return {
      [self](written_atom, std::uint64_t bytes) { self->state.taken(bytes); },
      [self](gone_atom) { self->state.give_up(); },
      [self](left_atom) { self->quit(); },
      [self](find_log_atom) { self->state.find_log(); },
  };
}

} // namespace

run_stream_actor spawn_run_stream(caf::actor_system& system, run_stream_setup setup) {
  return system.spawn(run_stream, std::move(setup));
}

} // namespace troupe::http
