#pragma once

#include "actors/interfaces.hpp"
#include "libagent/model/scripted.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <memory>

namespace troupe {

/// Internal: the time that an answer takes has passed.
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using delaying_model_actor = model_actor::extend<caf::reacts_to<answer_atom, call_key>>;

/// A model endpoint that answers from a script, after the delay that the script asks for.
class scripted_model_state {
public:
  explicit scripted_model_state(delaying_model_actor::pointer self) : self_(self) {}
  ~scripted_model_state();

  caf::result<model_response> call(const scripted::script& script, const model_call& what);
  void cancel(call_key key);
  void answer(const scripted::script& script, call_key key);

  const char* name = "scripted_model";

private:
  struct waiting_call {
    model_request_ptr request;
    caf::typed_response_promise<model_response> promise;
  };

  delaying_model_actor::pointer self_;
  std::map<call_key, waiting_call> waiting_;
};

delaying_model_actor::behavior_type
scripted_model(delaying_model_actor::stateful_pointer<scripted_model_state> self, scripted::script script);

} // namespace troupe
