#include "actors/scripted_model.hpp"

namespace troupe {

namespace {

error cancelled() {
  return fail(errc::cancelled, "the model call was cancelled");
}

} // namespace

scripted_model_state::~scripted_model_state() {
  for (auto& [key, call] : waiting_)
    call.promise.deliver(to_caf(cancelled()));
}

caf::result<model_response> scripted_model_state::call(const scripted::script& script,
                                                       const model_call& what) {
  if (script.delay.count() == 0) {
    auto response = scripted::answer(script, *what.request);
    if (!response)
      return to_caf(response.error());
    return std::move(*response);
  }
  if (waiting_.contains(what.key))
    return to_caf(fail(errc::invalid_argument, "a call with that key is under way already"));
  auto promise = self_->make_response_promise<model_response>();
  waiting_.insert_or_assign(what.key, waiting_call{what.request, promise});
  self_->delayed_send(self_, script.delay, answer_atom::value, what.key);
  return promise;
}

void scripted_model_state::cancel(call_key key) {
  auto call = waiting_.extract(key);
  if (!call.empty())
    call.mapped().promise.deliver(to_caf(cancelled()));
}

void scripted_model_state::answer(const scripted::script& script, call_key key) {
  auto call = waiting_.extract(key);
  if (call.empty())
    return;
  auto response = scripted::answer(script, *call.mapped().request);
  if (response)
    call.mapped().promise.deliver(std::move(*response));
  else
    call.mapped().promise.deliver(to_caf(response.error()));
}

delaying_model_actor::behavior_type
scripted_model(delaying_model_actor::stateful_pointer<scripted_model_state> self, scripted::script script) {
  auto shared = std::make_shared<const scripted::script>(std::move(script));
  return {
      [self, shared](const model_call& what) { return self->state.call(*shared, what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self, shared](answer_atom, call_key key) { self->state.answer(*shared, key); },
  };
}

} // namespace troupe
