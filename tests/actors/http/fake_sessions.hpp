#pragma once

#include "actors/interfaces.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace troupe::testing {

/// Answered once so many prompts are held.
using held_atom = caf::atom_constant<caf::atom("held")>;
/// Lets go of all prompts that are held.
using release_atom = caf::atom_constant<caf::atom("release")>;
/// Answered by the id of the run that was cancelled first, once there is one.
using cancelled_atom = caf::atom_constant<caf::atom("cancelled")>;

/// Sessions that play. What they do with a prompt:
///   "fail N"    fails with the code N before anything happens
///   "hold"      waits to be released; "hold fail N" fails then
///   "told X"    like X, but first tells a watcher that the run has started, the agent too, and the text
///   "Hel" "pause"     pauses for the call "c1" "flood N"   tells N texts of 16 KiB, or texts for ever, 16 of
///   them unacknowledged at the most
/// all else comes back as it is. There is one session, "known", and these runs: "run_known" is under way,
/// "run_over" is completed, and "run_paused" waits for decisions, which it answers with.
using fake_sessions_actor = sessions_actor::extend<caf::replies_to<held_atom, std::size_t>::with<std::size_t>,
                                                   caf::replies_to<release_atom>::with<std::size_t>,
                                                   caf::replies_to<cancelled_atom>::with<std::string>,
                                                   caf::reacts_to<consumed_atom, std::uint64_t>>;

/// `flooded` counts the bytes that floods have told.
fake_sessions_actor spawn_fake_sessions(caf::actor_system& system,
                                        std::shared_ptr<std::atomic<std::size_t>> flooded);

} // namespace troupe::testing
