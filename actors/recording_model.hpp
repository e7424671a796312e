#pragma once

#include "actors/interfaces.hpp"
#include "libagent/core/redactor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

namespace troupe {

/// A file that lines are added to. Made by `open_cassette`.
using cassette_file = std::shared_ptr<std::FILE>;

/// Opens a cassette to add to, creating it if need be; only its owner may read it. Error `io_failed`.
result<cassette_file> open_cassette(const std::string& path);

struct recording_setup {
  std::string model_name;
  model_actor model;
  cassette_file file;
  /// Keeps secrets out of the file; never null.
  redactor_ptr hides = nothing_to_hide();
};

using passing_model_actor = model_actor::extend<
    // Passes calls on to this actor from now on.
    caf::reacts_to<wire_atom, model_actor>>::extend_with<observed_actor>;

/// What a recording model has to remember.
class recording_model_state {
public:
  explicit recording_model_state(passing_model_actor::pointer self) : self_(self) {}
  ~recording_model_state();

  void begin(recording_setup setup) { setup_ = std::move(setup); }
  void pass_to(model_actor model) { setup_.model = std::move(model); }
  caf::typed_response_promise<model_response> call(const model_call& what);
  void cancel(call_key key);
  actor_status status() const;

  const char* name = "recording_model";

private:
  struct open_call {
    model_request_ptr request;
    caf::typed_response_promise<model_response> promise;
  };

  void answered(std::uint64_t number, result<model_response> outcome);

  passing_model_actor::pointer self_;
  recording_setup setup_;
  /// By numbers of their own.
  std::map<std::uint64_t, open_call> open_;
  std::uint64_t last_ = 0;
};

/// Passes calls on to a model and writes each exchange, failures included, to a cassette: one line, complete
/// when the answer is delivered. Calls that are cancelled are not written.
passing_model_actor::behavior_type
recording_model(passing_model_actor::stateful_pointer<recording_model_state> self, recording_setup setup);

} // namespace troupe
