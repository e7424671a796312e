#include "actors/defaults.hpp"
#include "actors/endpoint_model.hpp"
#include "actors/io/http_client.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

bool is_event_stream(const io::http_response& head) {
  return head.status == 200 && head.header("Content-Type").starts_with("text/event-stream");
}

} // namespace

void endpoint_model_state::send_streamed(call_key key, open_call& call) {
  call.head.reset();
  call.decoder.reset();
  call.untold = call.held_back = 0;
  const auto send_on = [self = caf::actor_cast<wire_model_actor>(self_), key, tried = call.tries](auto fill) {
    wire_piece piece;
    piece.key = key;
    piece.tried = tried;
    fill(piece);
    caf::anon_send(self, std::move(piece));
  };
  io::http_stream_handlers handlers;
  handlers.on_head = [send_on](unsigned status, io::header_list headers) {
    send_on([&](wire_piece& piece) {
      piece.head =
          std::make_shared<const io::http_response>(io::http_response{status, std::move(headers), {}});
    });
  };
  handlers.on_data = [send_on](std::string bytes) {
    send_on([&](wire_piece& piece) { piece.bytes = std::move(bytes); });
  };
  handlers.on_end = [send_on](std::optional<io::http_failure> failure) {
    send_on([&](wire_piece& piece) {
      piece.ends = true;
      if (failure)
        piece.failure = std::make_shared<const io::http_failure>(std::move(*failure));
    });
  };
  io::http_stream_options bounds;
  bounds.window = defaults::stream_window;
  bounds.idle_timeout = options_.timeout;
  bounds.total_timeout = std::max(bounds.total_timeout, options_.timeout);
  call.request = client_->stream(make_request(call, "text/event-stream"), bounds, std::move(handlers));
}

void endpoint_model_state::arrived(const wire_piece& piece) {
  const auto found = calls_.find(piece.key);
  if (found == calls_.end() && piece.ends)
    ending_.erase(piece.key);
  if (found == calls_.end() || found->second.tries != piece.tried)
    return;
  auto& call = found->second;
  // The rest of a try that was given up, its end included.
  if (call.request == 0)
    return;
  if (piece.head)
    take_head(call, *piece.head);
  else if (piece.ends)
    take_end(piece.key, call, piece);
  else
    take_bytes(piece.key, call, piece.bytes);
}

void endpoint_model_state::take_head(open_call& call, const io::http_response& head) {
  call.head = std::make_shared<io::http_response>(head);
  if (is_event_stream(head))
    call.decoder = codec_->make_stream_decoder();
  // Others need not wait for the end of the first stream.
  if (call.decoder && call.pass->is_probe)
    gate_.answered(*call.pass);
}

void endpoint_model_state::take_bytes(call_key key, open_call& call, const std::string& bytes) {
  if (!call.decoder) {
    call.head->body += bytes;
    client_->consumed(call.request, bytes.size());
    return;
  }
  auto deltas = call.decoder->feed(bytes);
  if (!deltas)
    return stream_failed(key, call, deltas.error());
  call.untold += bytes.size();
  call.held_back += bytes.size();
  if (!deltas->empty()) {
    call.ids.fill_in(*deltas);
    call.passed_on = true;
    call.undealt += call.untold;
    self_->send(call.listener, model_progress{key, std::make_shared<const model_deltas>(std::move(*deltas)),
                                              std::exchange(call.untold, 0)});
  }
  if (call.decoder->is_complete())
    complete(key, call);
  else
    read_on(call);
}

void endpoint_model_state::read_on(open_call& call) {
  // Not by what the client has outstanding: an event that is larger than its window must be read to its end.
  if (call.request != 0 && call.held_back > 0 && call.undealt <= defaults::stream_window)
    client_->consumed(call.request, std::exchange(call.held_back, 0));
}

void endpoint_model_state::complete(call_key key, open_call& call) {
  // A connection that ends in order right after is kept for other calls.
  if (!std::exchange(sweeps_, true))
    self_->delayed_send(self_, defaults::ended_stream_grace, sweep_atom::value);
  ending_.insert_or_assign(key, ending_stream{call.request});
  client_->consumed(call.request, defaults::stream_window + call.held_back);
  take_result(key, call.decoder->finish());
}

void endpoint_model_state::sweep() {
  for (auto each = ending_.begin(); each != ending_.end();)
    if (std::exchange(each->second.was_swept, true)) {
      client_->cancel(each->second.request);
      each = ending_.erase(each);
    } else {
      ++each;
    }
  sweeps_ = !ending_.empty();
  if (sweeps_)
    self_->delayed_send(self_, defaults::ended_stream_grace, sweep_atom::value);
}

void endpoint_model_state::take_end(call_key key, open_call& call, const wire_piece& piece) {
  call.request = 0;
  if (!call.decoder) {
    // No stream after all: an error, or an endpoint that does not stream.
    wire_answer whole{key, nullptr, piece.failure};
    if (!piece.failure)
      whole.response = call.head;
    return answered(whole);
  }
  if (!piece.failure) {
    auto outcome = call.decoder->finish();
    if (outcome || outcome.error().code != errc::model_stream_cut)
      return take_result(key, std::move(outcome));
    return stream_failed(key, call, outcome.error());
  }
  const auto& why = *piece.failure;
  const bool late = why.reason.code == errc::deadline_exceeded;
  const auto code = late                   ? errc::model_timeout
                    : why.connection_error ? errc::model_stream_cut
                                           : errc::model_failed;
  stream_failed(key, call, fail(code, "the stream broke: " + why.reason.detail),
                late || why.connection_error);
}

void endpoint_model_state::stream_failed(call_key key, open_call& call, error reason,
                                         bool worth_another_try) {
  if (call.request != 0)
    client_->cancel(call.request);
  call.request = 0;
  try_ended(call, 0, reason.code, false);
  if (!call.passed_on) {
    auto broken = std::make_shared<const io::http_failure>(io::http_failure{reason, worth_another_try});
    if (try_again(key, call, {key, nullptr, std::move(broken)}))
      return;
  }
  finish(key, with_name(std::move(reason)));
}

void endpoint_model_state::consumed(call_key key, std::uint64_t bytes) {
  const auto found = calls_.find(key);
  if (found == calls_.end())
    return;
  auto& call = found->second;
  call.undealt -= std::min(bytes, call.undealt);
  read_on(call);
}

} // namespace troupe
