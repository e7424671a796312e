#pragma once

#include "libagent/core/item.hpp"
#include "libagent/core/usage.hpp"
#include "libagent/session/run_reading.hpp"
#include "libagent/session/stored_run.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

struct process_seat;

/// A run that waits for somebody's decision. It belongs to its session, which holds one at most.
struct paused_run {
  std::string run_id;
  /// JSON text, opaque to the store.
  std::string state;
  /// It is not as it was written.
  bool is_damaged = false;
  friend bool operator==(const paused_run&, const paused_run&) = default;
};

/// Agent and tool of calls that need no approval for the rest of a session.
using approved_calls = std::set<std::pair<std::string, std::string>>;

/// A session at rest.
struct session_record {
  /// The agent that last answered; empty before the first run.
  std::string agent;
  item_list items;
  /// Of all its runs.
  usage_report used{};
  approved_calls approved{};
  std::optional<paused_run> paused{};
  /// Whose it is; empty for nobody's.
  std::string owner{};
};

/// What one run, or a part of one, adds to a session.
struct session_append {
  std::string session_id;
  /// The agent that answered; empty leaves the session's agent as it was.
  std::string agent;
  item_list items;
  usage_report used{};
  approved_calls approved{};
  /// The run has paused.
  std::optional<paused_run> paused{};
  /// The paused run goes on or is over: it is forgotten, unless `paused` gives another. What is left of a
  /// damaged one is put by where `run` ends it and keeps its records.
  bool unpauses = false;
  /// Whose the session is if this makes it.
  std::string owner{};
  /// What happens to a run meanwhile; stores without a journal do not keep it.
  std::optional<run_change> run{};
  /// So many of the session's last items are taken back first.
  std::size_t takes_back = 0;

  /// Whether it makes the session if there is none of that id.
  bool has_something_to_keep() const noexcept {
    return !agent.empty() || !items.empty() || !used.shares().empty() || !approved.empty() || paused ||
           (run && run->accepted);
  }
};

/// Whether a store that failed so may succeed with the same later: it is full, or could not be reached. What
/// it holds, and what it was asked, are as good as before.
constexpr bool may_pass(errc code) noexcept {
  return code == errc::store_full || code == errc::unavailable;
}

/// Where sessions live between runs. Not thread-safe: one actor owns a store. Calls may block. Any of them
/// may fail with `unavailable`: see `may_pass`.
class session_store {
public:
  virtual ~session_store() = default;
  /// The session, or nothing if there is none of that id. Error `store_failed`.
  virtual result<std::optional<session_record>> load(std::string_view session_id) = 0;
  /// Adds to sessions, in order, creating those that are new and have something to keep; all or none, durable
  /// when it returns. A run is paused in one session only: the one that said so last. Error `conflict` if a
  /// run is another process's.
  virtual result<void> append(const std::vector<session_append>& batch) = 0;
  /// The session that a paused run belongs to, or nothing if there is no such run. Error `store_failed`.
  virtual result<std::optional<std::string>> session_of(std::string_view run_id) = 0;
  /// Forgets a session, with its runs; false if there was none.
  virtual result<bool> erase(std::string_view session_id) = 0;

  // Runs. Stores without a journal know none but those that are paused.

  virtual bool has_journal() const noexcept { return false; }
  /// A run with its records, or nothing if it is not known. Error `store_failed` if any of it is damaged or
  /// missing, which says what.
  virtual result<std::optional<stored_run>> load_run(std::string_view run_id);
  /// The same without its records, its items and its request, of which nothing is read.
  virtual result<std::optional<run_head>> load_head(std::string_view run_id);
  /// What a run was paused with: while it is, or of one that has ended since for that was damaged.
  virtual result<std::optional<paused_run>> load_paused(std::string_view run_id);
  /// Takes over what processes that are gone have left unfinished, and returns it, in the order in which
  /// sessions have accepted it. What does not fit the filter stays theirs.
  virtual result<std::vector<orphaned_run>> adopt_runs(const orphan_filter& wanted = {});
  /// Events of a run from the one after `last` on, at most so many; one at least if there is any. Error
  /// `store_failed` if one of them is damaged, or any is missing of a run that is over and these are the
  /// last.
  virtual result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                        events_bound most);
  /// Forgets what is over for longer, or takes more room, than is to be kept, in one transaction. True if
  /// there may be more.
  virtual result<bool> purge(const retention& kept);
  /// Makes what was written outlive a power cut.
  virtual result<void> sync() { return {}; }
};

struct memory_store_options {
  /// Beyond this many sessions the least recently used of those without a paused run is forgotten. Never the
  /// one just added to: if all others have a paused run, the least recently used of these.
  std::size_t max_sessions = 100'000;
};

std::unique_ptr<session_store> make_memory_store(memory_store_options options = {});

/// Opens or creates a SQLite database in WAL mode. Error `store_failed` names the path and the reason (no
/// such folder, not a database, another program's, made by a newer version). Several processes may have the
/// same file open; a call waits up to 5 s for another's write.
///
/// The journal of its runs is in the same file. With `durability::off` there is none, and what others have
/// left in the file is not touched. A store that takes another's place has the same seat, which is to be kept
/// from the first one on, so that this process is not taken for dead between them; without one each store
/// counts as a process of its own.
result<std::unique_ptr<session_store>> open_sqlite_store(const std::string& path,
                                                         durability kept = durability::full,
                                                         std::shared_ptr<process_seat> seat = nullptr);

/// Whether the text can be a session id: 1 to 128 visible ASCII characters (0x21 to 0x7E).
bool is_session_id(std::string_view text) noexcept;

} // namespace troupe
