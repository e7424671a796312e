#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/run.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

bool run_state::is_journaled() const {
  return run_.company && run_.company->journal;
}

std::string run_state::path() const {
  const auto& outermost = run_.company->journal_id;
  return run_.run_id.size() > outermost.size() ? run_.run_id.substr(outermost.size() + 1) : std::string();
}

bool run_state::ends_record(const run::effects& todo) const {
  const auto is_finish = [](const run::effect& each) { return std::holds_alternative<run::finish>(each); };
  if (std::none_of(todo.begin(), todo.end(), is_finish))
    return false;
  // The session writes down how the outermost run ended. Of one inside, only a good end is worth keeping: a
  // failure is dealt with, or comes again.
  return !run_.company->nested || run_.state.failure;
}

void run_state::write_down(run::effects&& todo, bool is_recorded) {
  if (ends_record(todo)) {
    held_steps_.clear();
    return carry_out_all(todo);
  }
  const bool finishes = is_finished();
  if (!is_recorded && !finishes && !run::is_recorded(todo)) {
    if (held_steps_.empty())
      return carry_out_all(todo);
    held_steps_.push_back({std::move(todo), true});
    return;
  }
  const auto record = run_.recorder.take(run_.state, path());
  held_steps_.push_back({std::move(todo), record.is_null()});
  if (record.is_null())
    return written();
  session_append addition;
  addition.run = run_change{run_.company->journal_id};
  addition.run->records.push_back(dump_json(record));
  ask<acknowledgement>(
      self_, run_.company->journal, defaults::store_timeout,
      [this](acknowledgement) {
        // Answers come in the order of the records.
        const auto first = std::find_if(held_steps_.begin(), held_steps_.end(),
                                        [](const held_step& each) { return !each.is_written; });
        if (first != held_steps_.end())
          first->is_written = true;
        written();
      },
      [this](const caf::error& reason) { not_written(reason); }, std::move(addition));
}

void run_state::written() {
  while (!held_steps_.empty() && held_steps_.front().is_written) {
    auto next = std::move(held_steps_.front());
    held_steps_.pop_front();
    carry_out_all(next.todo);
  }
}

void run_state::not_written(const caf::error& reason) {
  // What comes later is about a run that is ending already.
  if (std::exchange(held_steps_, {}).empty())
    return;
  if (!is_finished())
    return feed(run::stopped{from_caf(reason)});
  run::effects end{run::finish{}};
  carry_out_all(end);
}

} // namespace troupe
