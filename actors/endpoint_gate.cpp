#include "actors/defaults.hpp"
#include "actors/endpoint_model.hpp"
#include "actors/io/http_client.hpp"
#include "actors/io/log.hpp"
#include "libagent/run/ledger.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

namespace troupe {

call_gate make_call_gate(const config::endpoint_options& options) {
  gate_options made;
  made.max_concurrency = options.max_concurrency;
  made.rate = {options.requests_per_minute, options.tokens_per_minute};
  made.max_queue = options.max_queue;
  made.max_retries_in_flight = options.max_retries_in_flight;
  made.breaker = options.breaker;
  return call_gate(made);
}

void endpoint_model_state::admit(call_key key, open_call& call) {
  const auto estimated = gate_.counts_tokens() ? estimate_input(*call.asked) : 0;
  const auto answer = gate_.ask(key, estimated, self_->clock().now());
  switch (answer.what) {
  case call_gate::verdict::go:
    return begin_call(key, call, answer.pass);
  case call_gate::verdict::waits:
    return look_later();
  case call_gate::verdict::refused:
    ++refused_open_;
    return finish(key, unavailable());
  case call_gate::verdict::full:
    ++refused_full_;
    return finish(key, fail(errc::overloaded, fmt::format("model '{}': {} calls wait for it already",
                                                          model_name_, gate_.waiting())));
  }
}

void endpoint_model_state::begin_call(call_key key, open_call& call, const call_gate::ticket& pass) {
  call.pass = pass;
  call.body = codec_->encode(*call.asked, call.listener != nullptr);
  call.asked.reset();
  send(key);
}

void endpoint_model_state::let_waiting_go() {
  // What ends on the way here comes here too.
  if (std::exchange(lets_go_, true))
    return;
  while (const auto next = gate_.next(self_->clock().now())) {
    const auto found = calls_.find(next->id);
    if (next->decided.what == call_gate::verdict::refused) {
      ++refused_open_;
      finish(next->id, unavailable());
    } else
      begin_call(next->id, found->second, next->decided.pass);
  }
  lets_go_ = false;
  look_later();
}

void endpoint_model_state::tell_breaker(caf::actor_clock::time_point now) const {
  const auto& breaker = gate_.breaker();
  log().warn("model '{}': failed {} times in a row; not asked for {}", model_name_, breaker.failures(),
             breaker.retry_in(now).value_or(std::chrono::milliseconds(0)));
}

void endpoint_model_state::look_later() {
  const auto wait = gate_.look_in(self_->clock().now());
  if (!wait || std::exchange(looks_, true))
    return;
  self_->delayed_send(self_, *wait, look_atom::value);
}

void endpoint_model_state::look() {
  looks_ = false;
  let_waiting_go();
}

void endpoint_model_state::try_ended(open_call& call, unsigned status, errc code, bool connection_error) {
  if (!call.pass)
    return;
  const auto now = self_->clock().now();
  if (is_endpoint_fault(status, code, connection_error)) {
    const auto before = gate_.breaker().state(now);
    gate_.failed(*call.pass, now, jitter());
    if (const auto after = gate_.breaker().state(now); after != before && after == breaker_state::open)
      tell_breaker(now);
  } else if (status != 0) {
    gate_.answered(*call.pass);
  }
}

void endpoint_model_state::leave_gate(call_key key, const open_call& call,
                                      const result<model_response>& outcome) {
  if (!call.pass) {
    gate_.withdraw(key);
  } else {
    std::optional<std::uint64_t> cost;
    if (outcome && outcome->used.total_tokens() > 0)
      cost = outcome->used.total_tokens();
    gate_.end(*call.pass, cost, self_->clock().now());
  }
}

error endpoint_model_state::unavailable() const {
  const auto now = self_->clock().now();
  const auto wait = gate_.breaker().retry_in(now).value_or(std::chrono::milliseconds(0));
  auto reason =
      fail(errc::model_unavailable,
           fmt::format("model '{}' is not asked, since it failed {} times in a row; {}", model_name_,
                       gate_.breaker().failures(),
                       wait.count() == 0
                           ? "it is being tried again"
                           : fmt::format("next try in {}", std::chrono::ceil<std::chrono::seconds>(wait))));
  const auto told = wait.count() == 0 ? std::chrono::milliseconds(defaults::retry_beside_probe) : wait;
  reason.facts = std::make_shared<const json>(json{{"retry_after_ms", told.count()}});
  return reason;
}

actor_status endpoint_model_state::status() const {
  const auto now = self_->clock().now();
  const auto& breaker = gate_.breaker();
  auto status = status_of(self_);
  status.in_flight = gate_.in_flight();
  status.waiting = gate_.waiting();
  status.refused_full = refused_full_;
  status.refused_open = refused_open_;
  status.retries = retries_;
  status.last_error = last_error_;
  status.breaker =
      breaker_status{breaker.state(now), breaker.failures(), breaker.open_for(now), breaker.retry_in(now)};
  return status;
}

} // namespace troupe
