#pragma once

#include "libagent/session/store.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace troupe::test {

/// A store whose disk does with each batch what the test wants: writes it to the store that it is given, or
/// not.
class moody_disk : public session_store {
public:
  using write = std::function<result<void>(session_store&, const std::vector<session_append>&)>;

  /// `adopts` may refuse to take over what others have left.
  moody_disk(std::unique_ptr<session_store> store, write how, std::function<result<void>()> adopts = {})
      : store_(std::move(store)), how_(std::move(how)), adopts_(std::move(adopts)) {}
  result<std::optional<session_record>> load(std::string_view id) override { return store_->load(id); }
  result<void> append(const std::vector<session_append>& batch) override { return how_(*store_, batch); }
  result<std::optional<std::string>> session_of(std::string_view id) override {
    return store_->session_of(id);
  }
  result<bool> erase(std::string_view id) override { return store_->erase(id); }
  bool has_journal() const noexcept override { return true; }
  result<std::optional<stored_run>> load_run(std::string_view id) override { return store_->load_run(id); }
  result<std::optional<run_head>> load_head(std::string_view id) override { return store_->load_head(id); }
  result<std::vector<orphaned_run>> adopt_runs(const orphan_filter& wanted) override {
    if (auto may = adopts_ ? adopts_() : result<void>(); !may)
      return may.error();
    return store_->adopt_runs(wanted);
  }
  result<std::vector<stored_event>> load_events(std::string_view id, std::uint64_t last,
                                                events_bound most) override {
    return store_->load_events(id, last, most);
  }

private:
  std::unique_ptr<session_store> store_;
  write how_;
  std::function<result<void>()> adopts_;
};

} // namespace troupe::test
