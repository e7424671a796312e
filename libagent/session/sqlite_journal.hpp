#pragma once

#include "libagent/session/process_lock.hpp"
#include "libagent/session/run_reading.hpp"
#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/sqlite_sessions.hpp"
#include "libagent/session/stored_run.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::sqlite {

/// Runs in a session database: docs/journal.md. The database must outlive it.
class journal {
public:
  /// Prepares the statements. An empty seat gets a number among the processes that write to the file.
  static result<journal> open(database& owner, const std::string& path, std::shared_ptr<process_seat> seat);
  /// One that only reads; `damage` is as of `database::prepare`.
  static result<journal> open_to_read(database& owner, std::string* damage);

  /// The two halves of a change, parts of a transaction of the owner's: its acceptance and its beginning, and
  /// all the rest. `session` is the key of the run's session, `last_item` the sequence of the session's last
  /// item, negative if that is not known, `items` how many the change adds to the session; they are used only
  /// for changes that concern the session. Error `conflict` if a run of that id is another process's, and not
  /// paused.
  result<void> begin(const run_change& what, std::int64_t session, std::int64_t last_item, std::size_t items);
  result<void> change(const run_change& what, std::int64_t last_item);

  /// The transaction was rolled back.
  void forget() { open_.clear(); }

  /// Without its items, which are these; none before its turn has come.
  struct found_run {
    stored_run run;
    item_range items;
  };
  /// A part of a transaction of the owner's. A run that has fewer records than were counted is damaged, and
  /// so is one that is not over and has fewer events.
  result<std::optional<found_run>> load(std::string_view run_id);
  result<std::optional<run_head>> load_head(std::string_view run_id);
  result<std::vector<orphaned_run>> adopt(const orphan_filter& wanted);
  /// Of a run that is over it is an error if fewer are there than were counted, once that shows.
  result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                events_bound most);
  /// A part of a transaction of the owner's. Whether there may be more to forget.
  result<bool> purge(const retention& kept);

private:
  struct statements {
    statement find, erase_id, accept, begin, resume, add_record, end, drop_records, add_event, count,
        void_event, load, load_head, load_records, count_events, lost_events, load_events, dead_processes,
        adopt, unfinished, purge_old, read_size, oldest, erase_run;
  };
  /// A run that is being written to.
  struct open_run {
    std::int64_t key = 0;
    /// So many it has, by now.
    std::int64_t records = 0;
    std::int64_t events = 0;
    std::int64_t last_event = 0;
    bool is_paused = false;
  };

  journal(database& owner, std::shared_ptr<process_seat> seat) : database_(&owner), seat_(std::move(seat)) {}
  result<void> prepare(std::string* damage = nullptr);
  result<void> take_number(const std::string& path);
  /// Null if it is not known; `conflict` if another process carries it on.
  result<open_run*> find(const std::string& run_id);
  result<void> accept(const run_change& what, std::int64_t session, std::int64_t last_item,
                      std::size_t items);
  result<void> add_event(const std::string& run_id, open_run& run, std::int64_t id, std::string_view event);
  result<void> void_event(open_run& run, std::int64_t id);
  result<void> add_records(const run_change& what, open_run& run);
  /// `bytes` is what its events have come to.
  result<void> end(const run_change& what, const open_run& run, std::int64_t last_item, std::int64_t bytes);
  result<void> check_status(std::string_view run_id, std::string_view status) const;
  result<void> check_outcome(std::string_view run_id, std::string_view outcome, std::int64_t sum) const;
  /// `counted` is negative where it is not known.
  result<void> load_records(std::int64_t key, std::int64_t counted, stored_run& into);
  result<void> check_events(std::string_view run_id);
  result<std::vector<std::int64_t>> dead_processes();
  /// The process that a run belongs to; 0 if there is no such run.
  result<std::int64_t> carrier_of(std::string_view run_id);
  template <class... Values>
  result<void> run(const statement& prepared, const Values&... values);

  database* database_;
  statements prepared_;
  std::shared_ptr<process_seat> seat_;
  std::unordered_map<std::string, open_run> open_;
};

} // namespace troupe::sqlite
