#include "actors/fallback_model.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"

namespace troupe {

namespace {

/// Whether another model may do what this one could not.
bool may_help(const error& reason) {
  switch (reason.code) {
  case errc::model_failed:
  case errc::model_timeout:
  case errc::model_stream_cut:
  case errc::model_unavailable:
  case errc::not_recorded:
  case errc::overloaded:
    // Nobody wants to read half an answer of one model and then another's.
    return !reason.facts || !reason.facts->contains("partly_shown");
  default:
    return false;
  }
}

} // namespace

fallback_model_state::~fallback_model_state() {
  for (auto& [key, call] : calls_)
    call.promise.deliver(to_caf(fail(errc::model_unavailable, "the model's actor ended")));
}

caf::typed_response_promise<model_response> fallback_model_state::call(const model_call& what) {
  auto promise = self_->make_response_promise<model_response>();
  if (!calls_.try_emplace(what.key, open_call{what, promise}).second) {
    promise.deliver(to_caf(fail(errc::invalid_argument, "a call with that key is under way already")));
    return promise;
  }
  ask(what.key);
  return promise;
}

void fallback_model_state::ask(call_key key) {
  auto& call = calls_.at(key);
  troupe::ask<model_response>(
      self_, models_[call.asked].handle, defaults::longest_model_call,
      [this, key](model_response& response) {
        if (auto answered = calls_.extract(key))
          answered.mapped().promise.deliver(std::move(response));
      },
      [this, key](const caf::error& reason) {
        if (const auto found = calls_.find(key); found != calls_.end())
          failed(key, model_error(models_[found->second.asked].name, reason));
      },
      call.what);
}

void fallback_model_state::failed(call_key key, const error& reason) {
  const auto found = calls_.find(key);
  if (found == calls_.end())
    return;
  auto& call = found->second;
  if (call.asked + 1 < models_.size() && may_help(reason)) {
    log().warn("model '{}' failed, asking '{}': {}", models_[call.asked].name, models_[call.asked + 1].name,
               reason.detail);
    ++call.asked;
    return ask(key);
  }
  call.promise.deliver(to_caf(reason));
  calls_.erase(found);
}

void fallback_model_state::cancel(call_key key) {
  auto call = calls_.extract(key);
  if (call.empty())
    return;
  self_->send(models_[call.mapped().asked].handle, cancel_atom::value, key);
  call.mapped().promise.deliver(to_caf(fail(errc::cancelled, "the model call was cancelled")));
}

actor_status fallback_model_state::status() const {
  auto status = status_of(self_);
  status.in_flight = calls_.size();
  return status;
}

chaining_model_actor::behavior_type
fallback_model(chaining_model_actor::stateful_pointer<fallback_model_state> self, named_models models) {
  self->state.begin(std::move(models));
  return {
      [self](const model_call& what) { return self->state.call(what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self](wire_atom, named_models& now) { self->state.begin(std::move(now)); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
