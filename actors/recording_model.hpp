#pragma once

#include "actors/interfaces.hpp"
#include "libagent/core/secret.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// A file that lines are added to. Made by `open_cassette`.
using cassette_file = std::shared_ptr<std::FILE>;

/// Opens a cassette to add to, creating it if need be; only its owner may read it. Error `io_failed`.
result<cassette_file> open_cassette(const std::string& path);

struct recording_setup {
  std::string model_name;
  model_actor model;
  cassette_file file;
  /// Never written.
  std::vector<secret> secrets;
};

/// Passes calls on to a model and writes each exchange, failures included, to a cassette: one line, complete
/// when the answer is delivered. Calls that are cancelled are not written.
model_actor::behavior_type recording_model(model_actor::pointer self, recording_setup setup);

} // namespace troupe
