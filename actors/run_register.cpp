#include "actors/run_register.hpp"

#include <utility>
#include <vector>

namespace troupe {

std::string_view to_string(run_status status) noexcept {
  constexpr std::string_view names[] = {"running", "paused", "completed", "failed", "cancelled"};
  return names[static_cast<std::size_t>(status) - 1];
}

namespace {

std::size_t size_of(const run_record& record) {
  struct counter {
    std::size_t operator()(const user_message& said) const { return said.text.size(); }
    std::size_t operator()(const assistant_message& said) const { return said.text.size(); }
    std::size_t operator()(const tool_call& made) const { return made.arguments.size(); }
    std::size_t operator()(const tool_output& got) const {
      std::size_t bytes = 0;
      for (const auto& part : got.parts)
        bytes += std::visit(
            [](const auto& each) {
              if constexpr (requires { each.text; })
                return each.text.size();
              else
                return each.data.size();
            },
            part);
      return bytes;
    }
    std::size_t operator()(const reasoning& thought) const {
      return thought.text.size() + thought.raw.size();
    }
  };
  auto bytes = sizeof record + record.result.size() + record.items.size() * sizeof(item);
  for (const auto& entry : record.items)
    bytes += std::visit(counter{}, entry);
  return bytes;
}

} // namespace

void run_register::forget_place(entry& known) {
  if (!known.place)
    return;
  over_.erase(*known.place);
  known.place.reset();
  bytes_ -= std::exchange(known.bytes, 0);
}

void run_register::begin(const std::string& run_id, const std::string& session_id, const std::string& agent,
                         const std::string& owner, const std::string& key_hash) {
  auto record = std::make_shared<run_record>();
  record->run_id = run_id;
  record->session_id = session_id;
  record->agent = agent;
  record->owner = owner;
  auto& known = runs_[run_id];
  // A run that goes on is still that of its key.
  record->key_hash = key_hash.empty() && known.record ? known.record->key_hash : key_hash;
  forget_place(known);
  known.record = std::move(record);
}

void run_register::end(run_record_ptr record) {
  auto& known = runs_[record->run_id];
  forget_place(known);
  if (record->key_hash.empty() && known.record && !known.record->key_hash.empty()) {
    auto keyed = std::make_shared<run_record>(*record);
    keyed->key_hash = known.record->key_hash;
    record = std::move(keyed);
  }
  known.place = over_.insert(over_.end(), record->run_id);
  known.bytes = size_of(*record);
  bytes_ += known.bytes;
  known.record = std::move(record);
  while (!over_.empty() && (over_.size() > kept_ || bytes_ > max_bytes_)) {
    const auto oldest = runs_.find(over_.front());
    forget_place(oldest->second);
    runs_.erase(oldest);
  }
}

std::vector<run_record_ptr> run_register::lose(const std::string& session_id) {
  std::vector<run_record_ptr> lost;
  for (const auto& [id, known] : runs_)
    if (!known.place && known.record->session_id == session_id)
      lost.push_back(known.record);
  for (auto& known : lost) {
    auto record = std::make_shared<run_record>(*known);
    record->status = run_status::failed;
    record->failure = fail(errc::internal, "the session's actor ended before the run did");
    known = record;
    end(std::move(record));
  }
  return lost;
}

std::vector<std::string> run_register::forget(const std::string& session_id) {
  std::vector<std::string> forgotten;
  for (auto known = runs_.begin(); known != runs_.end();) {
    if (!known->second.place || known->second.record->session_id != session_id) {
      ++known;
      continue;
    }
    forgotten.push_back(known->first);
    forget_place(known->second);
    known = runs_.erase(known);
  }
  return forgotten;
}

std::vector<run_record_ptr> run_register::under_way() const {
  std::vector<run_record_ptr> all;
  for (const auto& [id, known] : runs_)
    if (!known.place)
      all.push_back(known.record);
  return all;
}

run_record_ptr run_register::find(const std::string& run_id) const {
  const auto found = runs_.find(run_id);
  return found == runs_.end() ? nullptr : found->second.record;
}

} // namespace troupe
