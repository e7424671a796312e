#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "actors/session.hpp"
#include "actors/stored_run_json.hpp"

// What becomes of a paused run that cannot be read.
namespace troupe {

void session_state::end_damaged(const std::string& run_id, const error& reason) {
  log().error("session '{}': {}; it ends as failed, what is left of it is kept", id_, reason.detail);
  // The key that its request may have had is to be answered by it.
  ask<run_head_ptr>(
      self_, environment_->store, defaults::store_timeout,
      [this, run_id, reason](const run_head_ptr& head) { end_damaged(run_id, head->key_hash, reason); },
      [this, run_id, reason](const caf::error&) { end_damaged(run_id, {}, reason); }, head_atom::value,
      run_id);
}

void session_state::end_damaged(const std::string& run_id, const std::string& key_hash, const error& reason) {
  auto record = std::make_shared<run_record>();
  record->run_id = run_id;
  record->session_id = id_;
  record->owner = owner_.value_or("");
  record->key_hash = key_hash;
  record->status = run_status::failed;
  record->failure = reason;
  session_append addition{id_, {}, {}};
  addition.unpauses = true;
  addition.run = run_change{run_id};
  addition.run->ended = to_stored(*record);
  addition.run->ended->keeps_records = true;
  write(std::move(addition));
  damaged_ = std::move(record);
  self_->send(parent_, finished_atom::value, damaged_);
  // It was to go on.
  const auto* recovered = std::get_if<recover_job>(&jobs_.front());
  if (recovered != nullptr && recovered->run_id == run_id)
    return done();
  has_loaded();
}

} // namespace troupe
