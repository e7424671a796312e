#pragma once

#include "actors/interfaces.hpp"
#include "libagent/session/store.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// Internal: makes what has gathered durable.
using flush_atom = caf::atom_constant<caf::atom("flush")>;
using flushing_store_actor = store_actor::extend<caf::reacts_to<flush_atom>>::extend_with<observed_actor>;

/// Owns the session store. Appends that have gathered in the mailbox are written in one transaction, so that
/// many runs share the price of making it durable.
class store_state {
public:
  explicit store_state(flushing_store_actor::pointer self) : self_(self) {}
  ~store_state();

  void use(std::unique_ptr<session_store> store) { store_ = std::move(store); }
  caf::result<session_record_ptr> load(const std::string& session_id);
  caf::typed_response_promise<acknowledgement> append(session_append&& what);
  caf::result<std::string> session_of(const std::string& run_id);
  caf::result<acknowledgement> erase(const std::string& session_id);
  void flush();

  const char* name = "store";

private:
  flushing_store_actor::pointer self_;
  std::unique_ptr<session_store> store_;
  std::vector<session_append> gathered_;
  std::vector<caf::typed_response_promise<acknowledgement>> promises_;
};

/// Spawn it detached for a store that blocks.
flushing_store_actor::behavior_type store_behavior(flushing_store_actor::stateful_pointer<store_state> self,
                                                   std::shared_ptr<std::unique_ptr<session_store>> store);

} // namespace troupe
