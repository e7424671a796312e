#include "libagent/session/store.hpp"

#include <list>
#include <unordered_map>

namespace troupe {

namespace {

class memory_store : public session_store {
public:
  explicit memory_store(memory_store_options options) : max_sessions_(options.max_sessions) {}

  result<std::optional<session_record>> load(std::string_view session_id) override {
    const auto at = index_.find(session_id);
    if (at == index_.end())
      return std::optional<session_record>{};
    touch(at->second);
    return std::optional{at->second->record};
  }

  result<void> append(const std::vector<session_append>& batch) override {
    for (const auto& added : batch) {
      auto& record = find_or_create(added.session_id);
      if (!added.agent.empty())
        record.agent = added.agent;
      record.items.insert(record.items.end(), added.items.begin(), added.items.end());
    }
    while (sessions_.size() > max_sessions_) {
      index_.erase(sessions_.back().id);
      sessions_.pop_back();
    }
    return {};
  }

  result<bool> erase(std::string_view session_id) override {
    const auto at = index_.find(session_id);
    if (at == index_.end())
      return false;
    const auto gone = at->second;
    index_.erase(at);
    sessions_.erase(gone);
    return true;
  }

private:
  struct entry {
    std::string id;
    session_record record;
  };
  using entry_list = std::list<entry>;

  void touch(entry_list::iterator used) { sessions_.splice(sessions_.begin(), sessions_, used); }

  session_record& find_or_create(const std::string& id) {
    if (const auto at = index_.find(id); at != index_.end()) {
      touch(at->second);
    } else {
      sessions_.push_front({id, {}});
      index_.emplace(sessions_.front().id, sessions_.begin());
    }
    return sessions_.front().record;
  }

  std::size_t max_sessions_;
  /// The most recently used first. Keys of the index point into it.
  entry_list sessions_;
  std::unordered_map<std::string_view, entry_list::iterator> index_;
};

} // namespace

std::unique_ptr<session_store> make_memory_store(memory_store_options options) {
  return std::make_unique<memory_store>(options);
}

} // namespace troupe
