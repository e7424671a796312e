#include "actors/scripted_model.hpp"

#include "libagent/model/response_deltas.hpp"

namespace troupe {

namespace {

error cancelled() {
  return fail(errc::cancelled, "the model call was cancelled");
}

} // namespace

scripted_model_state::~scripted_model_state() {
  for (auto& [key, call] : waiting_)
    call.promise.deliver(
        to_caf(fail(errc::model_unavailable, "model '" + model_name_ + "': its actor ended")));
}

actor_status scripted_model_state::status() const {
  auto status = status_of(self_);
  status.in_flight = waiting_.size();
  return status;
}

void scripted_model_state::begin(std::string model_name, scripted::script script) {
  model_name_ = std::move(model_name);
  script_ = std::move(script);
}

result<model_response> scripted_model_state::make_answer(const model_call& what) {
  auto response = scripted::answer(script_, *what.request);
  if (!response)
    return response;
  response->model = model_name_;
  if (what.listener)
    self_->send(caf::actor_cast<model_listener_actor>(what.listener),
                model_progress{what.key, std::make_shared<const model_deltas>(to_deltas(*response)), 0});
  return response;
}

caf::result<model_response> scripted_model_state::call(const model_call& what) {
  if (script_.delay.count() == 0) {
    auto response = make_answer(what);
    if (!response)
      return to_caf(response.error());
    return std::move(*response);
  }
  if (waiting_.contains(what.key))
    return to_caf(fail(errc::invalid_argument, "a call with that key is under way already"));
  auto promise = self_->make_response_promise<model_response>();
  waiting_.insert_or_assign(what.key, waiting_call{what, promise});
  self_->delayed_send(self_, script_.delay, answer_atom::value, what.key);
  return promise;
}

void scripted_model_state::cancel(call_key key) {
  auto call = waiting_.extract(key);
  if (!call.empty())
    call.mapped().promise.deliver(to_caf(cancelled()));
}

void scripted_model_state::answer(call_key key) {
  auto call = waiting_.extract(key);
  if (call.empty())
    return;
  auto response = make_answer(call.mapped().what);
  if (response)
    call.mapped().promise.deliver(std::move(*response));
  else
    call.mapped().promise.deliver(to_caf(response.error()));
}

delaying_model_actor::behavior_type
scripted_model(delaying_model_actor::stateful_pointer<scripted_model_state> self, std::string model_name,
               scripted::script script) {
  self->state.begin(std::move(model_name), std::move(script));
  return {
      [self](const model_call& what) { return self->state.call(what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self](answer_atom, call_key key) { self->state.answer(key); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
