#include "actors/endpoint_model.hpp"

#include "actors/defaults.hpp"
#include "actors/io/http_client.hpp"
#include "actors/io/log.hpp"
#include "actors/run_id.hpp"
#include "libagent/model/anthropic.hpp"
#include "libagent/model/chat_completions.hpp"
#include "libagent/model/codec_http.hpp"
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

/// What may come from an endpoint, fit to be shown. Cut last: half a secret is not found.
std::string shown(std::string text, const redactor& hides) {
  return shorten_error(to_utf8(hides.hide(std::move(text))));
}

std::string new_call_id() {
  // 40 characters are the most that some endpoints take.
  return "call_" + new_session_id();
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
    call.promise.deliver(
        to_caf(fail(errc::model_unavailable, fmt::format("model '{}': its actor ended", model_name_))));
}

void endpoint_model_state::begin(std::string model_name, config::endpoint_options options, redactor_ptr hides,
                                 std::unique_ptr<io::http_client> client) {
  hides_ = std::move(hides);
  model_name_ = std::move(model_name);
  codec_ = make_codec(options);
  target_ = make_target(options, codec_->path());
  headers_ = {{"Content-Type", "application/json"}};
  for (auto& header : codec_->headers(options.api_key.reveal()))
    headers_.push_back(std::move(header));
  for (const auto& [key, value] : options.headers)
    headers_.emplace_back(key, value.reveal());
  gate_ = make_call_gate(options);
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
  made.asked = what.request;
  admit(what.key, calls_.insert_or_assign(what.key, std::move(made)).first->second);
  return promise;
}

void endpoint_model_state::send(call_key key) {
  const auto found = calls_.find(key);
  if (found == calls_.end())
    return;
  auto& call = found->second;
  if (const auto before = std::exchange(call.last_failure, std::nullopt)) {
    if (!gate_.retry(*call.pass, self_->clock().now()))
      return finish(key, *before);
    ++retries_;
  }
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
  if (answer.response)
    try_ended(call, answer.response->status, {}, false);
  else
    try_ended(call, 0, answer.failure->reason.code, answer.failure->connection_error);
  if (answer.response && answer.response->status == 200)
    return take_result(answer.key, codec_->decode(answer.response->body));
  if (!try_again(answer.key, call, answer))
    finish(answer.key, describe(answer));
}

void endpoint_model_state::take_result(call_key key, result<model_response> outcome) {
  if (!outcome)
    return finish(key, with_name(outcome.error()));
  auto& call = calls_.at(key);
  gate_.answered(*call.pass);
  call.ids.fill_in(outcome->output);
  outcome->model = model_name_;
  finish(key, std::move(outcome));
}

error endpoint_model_state::with_name(error reason) const {
  reason.detail = shown(fmt::format("model '{}': {}", model_name_, reason.detail), *hides_);
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
  const auto delay = next_delay(options_.retry, last, call.tries, jitter(), std::chrono::system_clock::now());
  if (!delay || !gate_.may_retry(*call.pass, self_->clock().now()))
    return false;
  call.last_failure = describe(answer);
  log().info("model '{}': try {} failed, next in {} ms: {}", model_name_, call.tries, delay->count(),
             call.last_failure->detail);
  self_->delayed_send(self_, *delay, retry_atom::value, key);
  return true;
}

error endpoint_model_state::describe(const wire_answer& answer) const {
  if (answer.response)
    return fail(errc::model_failed,
                hides_->hide(fmt::format("model '{}' answered {}: {}", model_name_, answer.response->status,
                                         codec_->error_message(hides_->hide(answer.response->body)))));
  const auto& why = answer.failure->reason;
  const bool late = why.code == errc::deadline_exceeded;
  return fail(why.code == errc::overloaded ? errc::overloaded
              : late                       ? errc::model_timeout
                                           : errc::model_failed,
              shown(fmt::format("model '{}': {}", model_name_, why.detail), *hides_));
}

void endpoint_model_state::finish(call_key key, result<model_response> outcome) {
  auto call = calls_.extract(key);
  auto& promise = call.mapped().promise;
  leave_gate(key, call.mapped(), outcome);
  if (outcome) {
    promise.deliver(std::move(*outcome));
    return let_waiting_go();
  }
  auto reason = outcome.error();
  if (reason.code == errc::model_failed || reason.code == errc::model_timeout)
    last_error_ = reason.detail;
  // Whatever went wrong: what was shown cannot be taken back.
  if (call.mapped().passed_on) {
    auto facts = reason.facts ? *reason.facts : json::object();
    facts["partly_shown"] = true;
    reason.facts = std::make_shared<const json>(std::move(facts));
  }
  promise.deliver(to_caf(reason));
  let_waiting_go();
}

double endpoint_model_state::jitter() {
  return std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

wire_model_actor::behavior_type endpoint_model(wire_model_actor::stateful_pointer<endpoint_model_state> self,
                                               std::string model_name, config::endpoint_options options,
                                               redactor_ptr hides,
                                               std::shared_ptr<std::unique_ptr<io::http_client>> client) {
  self->state.begin(std::move(model_name), std::move(options), std::move(hides), std::move(*client));
  return {
      [self](const model_call& what) { return self->state.call(what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self](const wire_answer& answer) { self->state.answered(answer); },
      [self](const wire_piece& piece) { self->state.arrived(piece); },
      [self](retry_atom, call_key key) { self->state.send(key); },
      [self](sweep_atom) { self->state.sweep(); },
      [self](look_atom) { self->state.look(); },
      [self](consumed_atom, call_key key, std::uint64_t bytes) { self->state.consumed(key, bytes); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
