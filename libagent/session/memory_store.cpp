#include "libagent/session/store.hpp"

#include <algorithm>
#include <list>
#include <unordered_map>

namespace troupe {

namespace {

class memory_store : public session_store {
public:
  explicit memory_store(memory_store_options options) : max_sessions_(options.max_sessions) {}

  result<std::optional<session_record>> load(std::string_view session_id) override {
    const auto at = sessions_.find(session_id);
    if (at == sessions_.end())
      return std::optional<session_record>{};
    touch(at->second);
    return std::optional{at->second->record};
  }

  result<void> append(const std::vector<session_append>& batch) override {
    for (const auto& added : batch)
      append(added);
    return {};
  }

  result<std::optional<std::string>> session_of(std::string_view run_id) override {
    const auto at = runs_.find(run_id);
    return at == runs_.end() ? std::optional<std::string>{} : std::optional{at->second->id};
  }

  result<bool> erase(std::string_view session_id) override {
    const auto at = sessions_.find(session_id);
    if (at == sessions_.end())
      return false;
    forget(at->second);
    return true;
  }

private:
  struct entry {
    std::string id;
    session_record record;
  };
  using entry_list = std::list<entry>;
  using position = entry_list::iterator;

  entry_list& home_of(position session) { return session->record.paused ? paused_ : plain_; }

  void touch(position used) {
    auto& home = home_of(used);
    home.splice(home.begin(), home, used);
  }

  void append(const session_append& added) {
    const auto known = sessions_.find(added.session_id);
    if (known == sessions_.end() && !added.has_something_to_keep())
      return;
    const bool is_new = known == sessions_.end();
    const auto session = is_new ? create(added.session_id) : known->second;
    touch(session);
    auto& record = session->record;
    if (is_new)
      record.owner = added.owner;
    if (!added.agent.empty())
      record.agent = added.agent;
    record.items.resize(record.items.size() - std::min(record.items.size(), added.takes_back));
    record.items.insert(record.items.end(), added.items.begin(), added.items.end());
    record.used += added.used;
    record.approved.insert(added.approved.begin(), added.approved.end());
    if (added.paused || added.unpauses)
      set_paused(session, added.paused);
    if (sessions_.size() > max_sessions_)
      forget(least_needed(session));
  }

  position create(const std::string& id) {
    plain_.push_front({id, {}});
    sessions_.emplace(plain_.front().id, plain_.begin());
    return plain_.begin();
  }

  void set_paused(position session, const std::optional<paused_run>& paused) {
    auto& before = home_of(session);
    auto& held = session->record.paused;
    if (held)
      runs_.erase(held->run_id);
    if (paused)
      if (const auto elsewhere = runs_.find(paused->run_id); elsewhere != runs_.end())
        set_paused(elsewhere->second, std::nullopt);
    held = paused;
    if (held)
      runs_.emplace(held->run_id, session);
    auto& after = home_of(session);
    after.splice(after.begin(), before, session);
  }

  position least_needed(position just_used) {
    const auto others = plain_.size() - (just_used->record.paused ? 0 : 1);
    return std::prev(others > 0 || paused_.empty() ? plain_.end() : paused_.end());
  }

  void forget(position session) {
    if (session->record.paused)
      runs_.erase(session->record.paused->run_id);
    sessions_.erase(session->id);
    home_of(session).erase(session);
  }

  std::size_t max_sessions_;
  /// Those without and those with a paused run, the most recently used first. Keys of the indexes point into
  /// them.
  entry_list plain_;
  entry_list paused_;
  std::unordered_map<std::string_view, position> sessions_;
  std::unordered_map<std::string_view, position> runs_;
};

} // namespace

std::unique_ptr<session_store> make_memory_store(memory_store_options options) {
  return std::make_unique<memory_store>(options);
}

} // namespace troupe
