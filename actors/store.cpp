#include "actors/store.hpp"

#include "actors/defaults.hpp"

#include <fmt/format.h>

namespace troupe {

store_state::~store_state() {
  flush();
}

caf::result<session_record_ptr> store_state::load(const std::string& session_id) {
  flush();
  auto record = store_->load(session_id);
  if (!record)
    return to_caf(record.error());
  if (!*record)
    return to_caf(fail(errc::unknown_session, fmt::format("there is no session '{}'", session_id)));
  return std::make_shared<const session_record>(std::move(**record));
}

caf::typed_response_promise<acknowledgement> store_state::append(session_append&& what) {
  auto promise = self_->make_response_promise<acknowledgement>();
  if (gathered_.empty())
    self_->send(self_, flush_atom::value);
  gathered_.push_back(std::move(what));
  promises_.push_back(promise);
  if (gathered_.size() >= defaults::store_batch)
    flush();
  return promise;
}

caf::result<std::string> store_state::session_of(const std::string& run_id) {
  flush();
  auto found = store_->session_of(run_id);
  if (!found)
    return to_caf(found.error());
  if (!*found)
    return to_caf(fail(errc::unknown_run, fmt::format("there is no paused run '{}'", run_id)));
  return std::move(**found);
}

caf::result<acknowledgement> store_state::erase(const std::string& session_id) {
  flush();
  const auto erased = store_->erase(session_id);
  if (!erased)
    return to_caf(erased.error());
  if (!*erased)
    return to_caf(fail(errc::unknown_session, fmt::format("there is no session '{}'", session_id)));
  return acknowledgement{};
}

void store_state::flush() {
  if (gathered_.empty())
    return;
  const auto written = store_->append(gathered_);
  for (auto& promise : promises_) {
    if (written)
      promise.deliver(acknowledgement{});
    else
      promise.deliver(to_caf(written.error()));
  }
  gathered_.clear();
  promises_.clear();
}

flushing_store_actor::behavior_type store_behavior(flushing_store_actor::stateful_pointer<store_state> self,
                                                   std::shared_ptr<std::unique_ptr<session_store>> store) {
  self->state.use(std::move(*store));
  return {
      [self](info_atom, const std::string& session_id) { return self->state.load(session_id); },
      [self](session_append& what) { return self->state.append(std::move(what)); },
      [self](run_atom, const std::string& run_id) { return self->state.session_of(run_id); },
      [self](erase_atom, const std::string& session_id) { return self->state.erase(session_id); },
      [self](flush_atom) { self->state.flush(); },
      [self](status_atom) { return status_of(self); },
  };
}

} // namespace troupe
