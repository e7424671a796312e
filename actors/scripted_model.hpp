#pragma once

#include "actors/interfaces.hpp"
#include "libagent/model/scripted.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <string>

namespace troupe {

/// Internal: the time that an answer takes has passed.
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using delaying_model_actor =
    model_actor::extend<caf::reacts_to<answer_atom, call_key>>::extend_with<observed_actor>;

/// A model endpoint that answers from a script, after the delay that the script asks for.
class scripted_model_state {
public:
  explicit scripted_model_state(delaying_model_actor::pointer self) : self_(self) {}
  ~scripted_model_state();

  void begin(std::string model_name, scripted::script script);
  caf::result<model_response> call(const model_call& what);
  void cancel(call_key key);
  void answer(call_key key);
  actor_status status() const;

  const char* name = "scripted_model";

private:
  struct waiting_call {
    model_call what;
    caf::typed_response_promise<model_response> promise;
  };

  /// Shows the answer to a listener too.
  result<model_response> make_answer(const model_call& what);

  delaying_model_actor::pointer self_;
  std::string model_name_;
  scripted::script script_;
  std::map<call_key, waiting_call> waiting_;
};

delaying_model_actor::behavior_type
scripted_model(delaying_model_actor::stateful_pointer<scripted_model_state> self, std::string model_name,
               scripted::script script);

} // namespace troupe
