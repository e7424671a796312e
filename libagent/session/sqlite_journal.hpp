#pragma once

#include "libagent/session/process_lock.hpp"
#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/stored_run.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::sqlite {

/// Runs in a session database: docs/journal.md. The database must outlive it.
class journal {
public:
  /// Prepares the statements and takes a number among the processes that write to the file.
  static result<journal> open(database& owner, const std::string& path);

  /// A part of a transaction of the owner's. `session` is the key of the run's session, `last_item` the
  /// sequence of the session's last item; both are used only for changes that concern the session.
  result<void> change(const run_change& what, std::int64_t session, std::int64_t last_item);

  /// The transaction was rolled back.
  void forget() { open_.clear(); }

  /// Without its items, which are those of the session from `first_item` on, `items` of them or, while it is
  /// not over, all.
  struct found_run {
    stored_run run;
    std::int64_t session = 0;
    std::int64_t first_item = 0;
    std::int64_t items = 0;
  };
  result<std::optional<found_run>> load(std::string_view run_id);
  result<std::vector<orphaned_run>> adopt();
  result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                std::size_t most);
  /// A part of a transaction of the owner's. Whether there may be more to forget.
  result<bool> purge(const retention& kept);

private:
  struct statements {
    statement find, erase_id, accept, begin, resume, add_record, end, drop_records, add_event, add_bytes,
        void_event, load, load_records, last_event, load_events, dead_processes, adopt, unfinished, purge_old,
        sum_bytes, oldest, erase_run;
  };
  /// A run that is being written to.
  struct open_run {
    std::int64_t key = 0;
    std::int64_t sequence = 0;
  };

  explicit journal(database& owner) : database_(&owner) {}
  result<void> prepare();
  result<void> take_number(const std::string& path);
  result<open_run*> find(const std::string& run_id);
  result<void> accept(const run_change& what, std::int64_t session);
  result<void> end(const run_change& what, const open_run& run, std::int64_t last_item);
  result<void> load_records(std::int64_t key, stored_run& into);
  template <class... Values>
  result<void> run(const statement& prepared, const Values&... values);

  database* database_;
  statements prepared_;
  process_lock lock_;
  std::int64_t process_ = 0;
  std::unordered_map<std::string, open_run> open_;
};

} // namespace troupe::sqlite
