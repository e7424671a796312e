#pragma once

#include "actors/interfaces.hpp"
#include "libagent/model/cassette.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <string>

namespace troupe {

/// Reads a cassette. Error `invalid_config` names the file and the line.
result<cassette> read_cassette(const std::string& path, redactor_ptr hides);

/// Answers from a cassette, at once.
watched_model_actor::behavior_type replay_model(watched_model_actor::pointer self, std::string model_name,
                                                std::shared_ptr<cassette> recording);

} // namespace troupe
