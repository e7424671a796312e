#pragma once

#include "libagent/core/redactor.hpp"
#include "libagent/session/store.hpp"

#include <memory>

namespace troupe {

/// A store whose texts are kept without the secrets: what is written is sealed, what is read is as it was, as
/// long as the secrets are known by their names. Ids, names of agents and owners are kept as they are.
std::unique_ptr<session_store> make_sealed_store(std::unique_ptr<session_store> store, redactor_ptr seals);

/// What such a store does with a run that it has read.
void unseal(stored_run& run, const redactor& seals);

} // namespace troupe
