#include "actors/store.hpp"

#include "actors/defaults.hpp"
#include "actors/io/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe {

store_state::~store_state() {
  flush();
  while (!owed_.empty() && settle_some()) {
  }
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

caf::result<adopted_runs_ptr> store_state::adopt(const std::string& session_id) {
  flush();
  auto left = store_->adopt_runs({session_id, {}});
  if (!left)
    return to_caf(left.error());
  // All that is this process's comes with what it has taken over.
  std::erase_if(*left, [&](const orphaned_run& each) {
    return each.session_id != session_id || open_.contains(each.run_id);
  });
  for (const auto& each : *left)
    open_.insert(each.run_id);
  return std::make_shared<const std::vector<orphaned_run>>(std::move(*left));
}

caf::result<stored_run_ptr> store_state::load_run(const std::string& run_id) {
  flush();
  auto found = store_->load_run(run_id);
  if (!found)
    return to_caf(found.error());
  if (!*found)
    return to_caf(fail(errc::unknown_run, fmt::format("there is no run '{}'", run_id)));
  return std::make_shared<const stored_run>(std::move(**found));
}

caf::result<run_head_ptr> store_state::load_head(const std::string& run_id) {
  flush();
  auto found = store_->load_head(run_id);
  if (!found)
    return to_caf(found.error());
  if (!*found)
    return to_caf(fail(errc::unknown_run, fmt::format("there is no run '{}'", run_id)));
  return std::make_shared<const run_head>(std::move(**found));
}

caf::result<stored_events_ptr> store_state::load_events(const std::string& run_id, std::uint64_t last,
                                                        events_bound most) {
  flush();
  auto found = store_->load_events(run_id, last, most);
  if (!found)
    return to_caf(found.error());
  return std::make_shared<const std::vector<stored_event>>(std::move(*found));
}

void store_state::owe(run_change&& ending) {
  // What has gathered may be the acceptance of that very run, which would undo its end.
  flush();
  if (owed_.size() >= defaults::owed_endings) {
    log().error("the end of the run '{}' will not be known after a restart: too many could not be written",
                owed_.front().run->run_id);
    owed_.pop_front();
  }
  session_append addition;
  addition.run = std::move(ending);
  owed_.push_back(std::move(addition));
  if (!settling_planned_)
    settle();
}

bool store_state::settle_some() {
  const auto count = std::min(owed_.size(), defaults::store_batch);
  const std::vector<session_append> batch(owed_.begin(), owed_.begin() + static_cast<std::ptrdiff_t>(count));
  const auto written = append_each(batch);
  const auto waits = std::find_if(written.begin(), written.end(),
                                  [](const auto& each) { return !each && may_pass(each.error().code); });
  const auto done = waits - written.begin();
  for (std::ptrdiff_t i = 0; i < done; ++i) {
    const auto& ending = *owed_[static_cast<std::size_t>(i)].run;
    if (const auto& own = written[static_cast<std::size_t>(i)]; own)
      note_written(ending);
    else
      log().error("how the run '{}' ended cannot be written: {}", ending.run_id, own.error().detail);
  }
  owed_.erase(owed_.begin(), owed_.begin() + done);
  return waits == written.end();
}

void store_state::settle() {
  settling_planned_ = false;
  if (owed_.empty())
    return;
  const bool goes_on = settle_some();
  if (owed_.empty())
    return;
  settling_planned_ = true;
  // Others have their turn in between.
  if (goes_on)
    self_->send(self_, owed_atom::value);
  else
    self_->delayed_send(self_, defaults::owed_pause, owed_atom::value);
}

void store_state::flush() {
  if (gathered_.empty())
    return;
  const auto batch = std::exchange(gathered_, {});
  auto promises = std::exchange(promises_, {});
  const auto written = append_each(batch);
  plan();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!written[i]) {
      promises[i].deliver(to_caf(written[i].error()));
      continue;
    }
    if (const auto& run = batch[i].run) {
      if (run->accepted)
        forget_owed(run->run_id);
      note_written(*run);
    }
    promises[i].deliver(acknowledgement{});
  }
}

std::vector<result<void>> store_state::append_each(const std::vector<session_append>& batch) {
  const auto began = std::chrono::steady_clock::now();
  const auto written = store_->append(batch);
  measures_.seconds.observe(in_seconds(std::chrono::steady_clock::now() - began));
  measures_.batch.observe(static_cast<double>(batch.size()));
  if (!written)
    measures_.failed.add();
  std::vector<result<void>> all(batch.size(), written);
  if (written || batch.size() == 1)
    return all;
  // What one of them did wrong is not the others' fault; a disk that is full or cannot be reached is
  // everybody's.
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto known = i == 0 ? written : all[i - 1];
    all[i] = !known && may_pass(known.error().code) ? known : store_->append({batch[i]});
  }
  return all;
}

void store_state::note_written(const run_change& change) {
  if (change.ended)
    open_.erase(change.run_id);
  else if (store_->has_journal() && (change.accepted || change.begins || !change.records.empty()))
    open_.insert(change.run_id);
}

void store_state::forget_owed(const std::string& run_id) {
  std::erase_if(owed_, [&run_id](const session_append& each) { return each.run->run_id == run_id; });
}

void store_state::plan() {
  if (sync_interval_.count() > 0 && !std::exchange(sync_planned_, true))
    self_->delayed_send(self_, sync_interval_, sync_atom::value);
  if (store_->has_journal() && !std::exchange(purge_planned_, true))
    self_->delayed_send(self_, defaults::journal_purge, purge_atom::value);
}

void store_state::sync() {
  sync_planned_ = false;
  flush();
  if (auto synced = store_->sync(); !synced)
    log().warn("{}", synced.error().detail);
}

void store_state::purge() {
  flush();
  purge_planned_ = false;
  const auto has_more = store_->purge(kept_);
  if (!has_more)
    log().warn("{}", has_more.error().detail);
  // Others have their turn in between.
  else if (*has_more && !std::exchange(purge_planned_, true))
    self_->send(self_, purge_atom::value);
}

void store_state::use(store_setup setup) {
  store_ = std::move(setup.store);
  sync_interval_ = setup.sync_interval;
  kept_ = setup.kept;
  measures_ = std::move(setup.measures);
  purge();
}

flushing_store_actor::behavior_type store_behavior(flushing_store_actor::stateful_pointer<store_state> self,
                                                   std::shared_ptr<store_setup> setup) {
  self->state.use(std::move(*setup));
  return {
      [self](info_atom, const std::string& session_id) { return self->state.load(session_id); },
      [self](session_append& what) { return self->state.append(std::move(what)); },
      [self](run_atom, const std::string& run_id) { return self->state.session_of(run_id); },
      [self](erase_atom, const std::string& session_id) { return self->state.erase(session_id); },
      [self](adopt_atom, const std::string& session_id) { return self->state.adopt(session_id); },
      [self](finished_atom, run_change& ending) { self->state.owe(std::move(ending)); },
      [self](journal_atom, const std::string& run_id) { return self->state.load_run(run_id); },
      [self](events_atom, const std::string& run_id, std::uint64_t last, std::uint64_t most) {
        return self->state.load_events(run_id, last, most);
      },
      [self](events_atom, const std::string& run_id, std::uint64_t last, std::uint64_t most,
             std::uint64_t bytes) {
        return self->state.load_events(run_id, last, {most, bytes});
      },
      [self](head_atom, const std::string& run_id) { return self->state.load_head(run_id); },
      [self](flush_atom) { self->state.flush(); },
      [self](sync_atom) { self->state.sync(); },
      [self](purge_atom) { self->state.purge(); },
      [self](owed_atom) { self->state.settle(); },
      [self](status_atom) { return status_of(self); },
  };
}

} // namespace troupe
