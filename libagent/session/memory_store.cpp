#include "libagent/session/store.hpp"

#include <algorithm>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

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
  using index = std::unordered_map<std::string_view, position>;

  entry_list& home_of(position session) { return session->record.paused ? paused_ : plain_; }

  void touch(position used) {
    auto& home = home_of(used);
    home.splice(home.begin(), home, used);
  }

  /// All that asks for memory comes before anything is changed, so that an exception leaves the session as it
  /// was.
  void append(const session_append& added) {
    const auto known = sessions_.find(added.session_id);
    const bool is_new = known == sessions_.end();
    if (is_new && !added.has_something_to_keep())
      return;
    entry_list created;
    index ids;
    if (is_new) {
      created.push_front({added.session_id, {}});
      created.front().record.owner = added.owner;
      ids.emplace(created.front().id, created.begin());
      make_room(sessions_);
    }
    const auto session = is_new ? created.begin() : known->second;
    auto& record = session->record;
    auto agent = added.agent.empty() ? record.agent : added.agent;
    const auto kept = record.items.size() - std::min(record.items.size(), added.takes_back);
    auto items = added.items;
    make_room(record.items, kept + items.size());
    auto used = record.used;
    used += added.used;
    auto approved = added.approved;
    auto paused = added.paused;
    index runs;
    if (paused) {
      runs.emplace(paused->run_id, session);
      make_room(runs_);
    }

    if (is_new) {
      plain_.splice(plain_.begin(), created);
      sessions_.insert(ids.extract(ids.begin()));
    }
    touch(session);
    record.agent = std::move(agent);
    record.items.erase(record.items.begin() + static_cast<std::ptrdiff_t>(kept), record.items.end());
    std::move(items.begin(), items.end(), std::back_inserter(record.items));
    record.used = std::move(used);
    record.approved.merge(approved);
    if (paused)
      set_paused(session, std::move(paused), runs.extract(runs.begin()));
    else if (added.unpauses)
      set_paused(session, std::nullopt, {});
    if (sessions_.size() > max_sessions_)
      forget(least_needed(session));
  }

  /// For one more.
  static void make_room(index& places) {
    if (static_cast<float>(places.size() + 1) >
        places.max_load_factor() * static_cast<float>(places.bucket_count()))
      places.reserve(2 * places.size() + 1);
  }

  static void make_room(item_list& items, std::size_t count) {
    if (count > items.capacity())
      items.reserve(std::max(count, 2 * items.capacity()));
  }

  /// `place` is for the index of runs, if there is one.
  void set_paused(position session, std::optional<paused_run> paused, index::node_type place) {
    auto& before = home_of(session);
    auto& held = session->record.paused;
    if (held)
      runs_.erase(held->run_id);
    if (paused)
      if (const auto elsewhere = runs_.find(paused->run_id); elsewhere != runs_.end())
        set_paused(elsewhere->second, std::nullopt, {});
    held = std::move(paused);
    if (held) {
      place.key() = held->run_id;
      runs_.insert(std::move(place));
    }
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
  index sessions_;
  index runs_;
};

} // namespace

std::unique_ptr<session_store> make_memory_store(memory_store_options options) {
  return std::make_unique<memory_store>(options);
}

} // namespace troupe
