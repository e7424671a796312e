#include "actors/endpoint_model.hpp"

#include "actors/defaults.hpp"
#include "actors/io/http_client.hpp"
#include "actors/io/log.hpp"
#include "actors/run_id.hpp"
#include "libagent/model/anthropic.hpp"
#include "libagent/model/chat_completions.hpp"
#include "libagent/model/responses.hpp"
#include "libagent/model/retry.hpp"

#include <caf/send.hpp>

#include <fmt/format.h>

namespace troupe {

namespace {

/// A query component (RFC 3986, 3.4) with all but unreserved characters escaped.
std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos)
      escaped += c;
    else
      escaped += fmt::format("%{:02X}", byte);
  }
  return escaped;
}

std::string make_target(const config::endpoint_options& options, std::string_view path) {
  std::string target(path);
  char separator = '?';
  for (const auto& [key, value] : options.query) {
    target += fmt::format("{}{}={}", separator, escape(key), escape(value));
    separator = '&';
  }
  return target;
}

std::unique_ptr<const model_codec> make_codec(const config::endpoint_options& options) {
  using format = config::endpoint_options::wire_format;
  switch (options.format) {
  case format::responses: {
    responses::wire_options wire;
    wire.model = options.wire.model;
    wire.image_input = options.wire.image_input;
    wire.base_url = options.base_url;
    return responses::make_responses_codec(std::move(wire));
  }
  case format::anthropic: {
    anthropic::wire_options wire;
    wire.model = options.wire.model;
    wire.image_input = options.wire.image_input;
    wire.max_tokens = options.max_tokens;
    return anthropic::make_anthropic_codec(std::move(wire));
  }
  case format::chat_completions:
    break;
  }
  return chat_completions::make_chat_completions_codec(options.wire);
}

std::string new_call_id() {
  // 40 characters are the most that some endpoints take.
  return "call_" + new_session_id();
}

bool is_event_stream(const io::http_response& head) {
  return head.status == 200 && head.header("Content-Type").starts_with("text/event-stream");
}

} // namespace

result<std::unique_ptr<io::http_client>> make_model_client(io::reactor& io,
                                                           const config::endpoint_options& options) {
  io::http_client_options wire;
  wire.base_url = options.base_url;
  wire.connect_timeout = options.connect_timeout;
  wire.max_connections = options.max_connections;
  wire.max_queue = options.max_queue;
  wire.max_response_bytes = options.max_response_bytes;
  io::read_proxy_environment(wire);
  return io::http_client::make(io, std::move(wire));
}

endpoint_model_state::endpoint_model_state(wire_model_actor::pointer self)
    : self_(self), random_(static_cast<std::minstd_rand::result_type>(
                       std::chrono::steady_clock::now().time_since_epoch().count())) {}

endpoint_model_state::~endpoint_model_state() {
  for (auto& [key, call] : calls_)
    call.promise.deliver(to_caf(fail(errc::cancelled, "the model's actor ended")));
}

void endpoint_model_state::begin(std::string model_name, config::endpoint_options options,
                                 std::vector<secret> secrets, std::unique_ptr<io::http_client> client) {
  secrets_ = std::move(secrets);
  model_name_ = std::move(model_name);
  codec_ = make_codec(options);
  target_ = make_target(options, codec_->path());
  headers_ = {{"Content-Type", "application/json"}};
  for (auto& header : codec_->headers(options.api_key.reveal()))
    headers_.push_back(std::move(header));
  secrets_.push_back(options.api_key);
  for (const auto& [key, value] : options.headers) {
    headers_.emplace_back(key, value.reveal());
    secrets_.push_back(value);
  }
  options_ = std::move(options);
  client_ = std::move(client);
}

caf::typed_response_promise<model_response> endpoint_model_state::call(const model_call& what) {
  auto promise = self_->make_response_promise<model_response>();
  if (calls_.contains(what.key)) {
    promise.deliver(to_caf(fail(errc::invalid_argument, "a call with that key is under way already")));
    return promise;
  }
  open_call made(new_call_id);
  made.promise = promise;
  if (what.listener)
    made.listener = caf::actor_cast<model_listener_actor>(what.listener);
  made.body = codec_->encode(*what.request, what.listener != nullptr);
  calls_.insert_or_assign(what.key, std::move(made));
  send(what.key);
  return promise;
}

void endpoint_model_state::send(call_key key) {
  const auto found = calls_.find(key);
  if (found == calls_.end())
    return;
  auto& call = found->second;
  ++call.tries;
  if (call.listener)
    send_streamed(key, call);
  else
    send_whole(key, call);
}

io::http_request endpoint_model_state::make_request(open_call& call, std::string_view accept) const {
  io::http_request request;
  request.target = target_;
  request.headers = headers_;
  request.headers.emplace_back("Accept", accept);
  // The last try needs no copy.
  request.body = call.tries > options_.retry.max_retries ? std::move(call.body) : call.body;
  request.timeout = options_.timeout;
  return request;
}

void endpoint_model_state::send_whole(call_key key, open_call& call) {
  // The actor may be gone when the answer comes: the handle keeps its control block only.
  auto report = [self = caf::actor_cast<wire_model_actor>(self_),
                 key](std::optional<io::http_response> response, io::http_failure failure) {
    wire_answer answer{key, nullptr, nullptr};
    if (response)
      answer.response = std::make_shared<const io::http_response>(std::move(*response));
    else
      answer.failure = std::make_shared<const io::http_failure>(std::move(failure));
    caf::anon_send(self, std::move(answer));
  };
  call.request = client_->send(make_request(call, "application/json"), std::move(report));
}

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

void endpoint_model_state::cancel(call_key key) {
  const auto found = calls_.find(key);
  if (found == calls_.end())
    return;
  if (found->second.request != 0)
    client_->cancel(found->second.request);
  finish(key, fail(errc::cancelled, "the model call was cancelled"));
}

void endpoint_model_state::answered(const wire_answer& answer) {
  const auto found = calls_.find(answer.key);
  if (found == calls_.end())
    return;
  auto& call = found->second;
  call.request = 0;
  if (answer.response && answer.response->status == 200)
    return take_result(answer.key, codec_->decode(answer.response->body));
  if (!try_again(answer.key, call, answer))
    finish(answer.key, describe(answer));
}

void endpoint_model_state::take_result(call_key key, result<model_response> outcome) {
  if (!outcome)
    return finish(key, with_name(outcome.error()));
  calls_.at(key).ids.fill_in(outcome->output);
  outcome->model = model_name_;
  finish(key, std::move(outcome));
}

error endpoint_model_state::with_name(error reason) const {
  reason.detail = redact(fmt::format("model '{}': {}", model_name_, reason.detail), secrets_);
  return reason;
}

bool endpoint_model_state::try_again(call_key key, open_call& call, const wire_answer& answer) {
  failed_try last;
  if (answer.response) {
    last.status = answer.response->status;
    last.retry_after = answer.response->header("Retry-After");
  } else {
    last.connection_error = answer.failure->connection_error;
  }
  const auto jitter = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
  const auto delay = next_delay(options_.retry, last, call.tries, jitter, std::chrono::system_clock::now());
  if (!delay)
    return false;
  log().info("model '{}': try {} failed, next in {} ms: {}", model_name_, call.tries, delay->count(),
             describe(answer).detail);
  self_->delayed_send(self_, *delay, retry_atom::value, key);
  return true;
}

error endpoint_model_state::describe(const wire_answer& answer) const {
  if (answer.response)
    return fail(errc::model_failed,
                redact(fmt::format("model '{}' answered {}: {}", model_name_, answer.response->status,
                                   codec_->error_message(redact(answer.response->body, secrets_))),
                       secrets_));
  const auto& why = answer.failure->reason;
  const bool late = why.code == errc::deadline_exceeded;
  return fail(why.code == errc::overloaded ? errc::overloaded
              : late                       ? errc::model_timeout
                                           : errc::model_failed,
              redact(fmt::format("model '{}': {}", model_name_, why.detail), secrets_));
}

void endpoint_model_state::finish(call_key key, result<model_response> outcome) {
  auto call = calls_.extract(key);
  auto& promise = call.mapped().promise;
  if (outcome) {
    promise.deliver(std::move(*outcome));
    return;
  }
  auto reason = outcome.error();
  // Whatever went wrong: what was shown cannot be taken back.
  if (call.mapped().passed_on) {
    auto facts = reason.facts ? *reason.facts : json::object();
    facts["partly_shown"] = true;
    reason.facts = std::make_shared<const json>(std::move(facts));
  }
  promise.deliver(to_caf(reason));
}

wire_model_actor::behavior_type endpoint_model(wire_model_actor::stateful_pointer<endpoint_model_state> self,
                                               std::string model_name, config::endpoint_options options,
                                               std::vector<secret> secrets,
                                               std::shared_ptr<std::unique_ptr<io::http_client>> client) {
  self->state.begin(std::move(model_name), std::move(options), std::move(secrets), std::move(*client));
  return {
      [self](const model_call& what) { return self->state.call(what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self](const wire_answer& answer) { self->state.answered(answer); },
      [self](const wire_piece& piece) { self->state.arrived(piece); },
      [self](retry_atom, call_key key) { self->state.send(key); },
      [self](sweep_atom) { self->state.sweep(); },
      [self](consumed_atom, call_key key, std::uint64_t bytes) { self->state.consumed(key, bytes); },
  };
}

} // namespace troupe
