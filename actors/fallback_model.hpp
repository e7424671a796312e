#pragma once

#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <string>
#include <vector>

namespace troupe {

struct named_model {
  std::string name;
  model_actor handle;
};
using named_models = std::vector<named_model>;

using chaining_model_actor = model_actor::extend<
    // Asks these from now on: the same models, of which some are other actors.
    caf::reacts_to<wire_atom, named_models>>::extend_with<observed_actor>;

/// Asks models in turn until one answers. A call that failed after some of its answer was shown is not asked
/// again.
class fallback_model_state {
public:
  explicit fallback_model_state(chaining_model_actor::pointer self) : self_(self) {}
  ~fallback_model_state();

  void begin(named_models models) { models_ = std::move(models); }
  caf::typed_response_promise<model_response> call(const model_call& what);
  void cancel(call_key key);
  actor_status status() const;

  const char* name = "fallback_model";

private:
  struct open_call {
    model_call what;
    caf::typed_response_promise<model_response> promise;
    /// Place of the model that is being asked.
    std::size_t asked = 0;
  };

  void ask(call_key key);
  void failed(call_key key, const error& reason);

  chaining_model_actor::pointer self_;
  /// The first is the one that was asked for.
  named_models models_;
  std::map<call_key, open_call> calls_;
};

chaining_model_actor::behavior_type
fallback_model(chaining_model_actor::stateful_pointer<fallback_model_state> self, named_models models);

} // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::named_models)
