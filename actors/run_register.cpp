#include "actors/run_register.hpp"

namespace troupe {

std::string_view to_string(run_status status) noexcept {
  constexpr std::string_view names[] = {"running", "paused", "completed", "failed", "cancelled"};
  return names[static_cast<std::size_t>(status) - 1];
}

void run_register::begin(const std::string& run_id, const std::string& session_id, const std::string& agent) {
  auto record = std::make_shared<run_record>();
  record->run_id = run_id;
  record->session_id = session_id;
  record->agent = agent;
  auto& known = runs_[run_id];
  if (known.place)
    over_.erase(*known.place);
  known = {std::move(record), std::nullopt};
}

void run_register::end(run_record_ptr record) {
  auto& known = runs_[record->run_id];
  if (known.place)
    over_.erase(*known.place);
  known.place = over_.insert(over_.end(), record->run_id);
  known.record = std::move(record);
  if (over_.size() <= kept_)
    return;
  runs_.erase(over_.front());
  over_.pop_front();
}

run_record_ptr run_register::find(const std::string& run_id) const {
  const auto found = runs_.find(run_id);
  return found == runs_.end() ? nullptr : found->second.record;
}

} // namespace troupe
