#pragma once

#include "libagent/core/item.hpp"
#include "libagent/core/usage.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// A run that waits for somebody's decision. It belongs to its session, which holds one at most.
struct paused_run {
  std::string run_id;
  /// JSON text, opaque to the store.
  std::string state;
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
  /// The paused run goes on or is over: it is forgotten, unless `paused` gives another.
  bool unpauses = false;

  /// Whether it makes the session if there is none of that id.
  bool has_something_to_keep() const noexcept {
    return !agent.empty() || !items.empty() || !used.shares().empty() || !approved.empty() || paused;
  }
};

/// Where sessions live between runs. Not thread-safe: one actor owns a store. Calls may block.
class session_store {
public:
  virtual ~session_store() = default;
  /// The session, or nothing if there is none of that id. Error `store_failed`.
  virtual result<std::optional<session_record>> load(std::string_view session_id) = 0;
  /// Adds to sessions, in order, creating those that are new and have something to keep; all or none, durable
  /// when it returns. A run is paused in one session only: the one that said so last.
  virtual result<void> append(const std::vector<session_append>& batch) = 0;
  /// The session that a paused run belongs to, or nothing if there is no such run. Error `store_failed`.
  virtual result<std::optional<std::string>> session_of(std::string_view run_id) = 0;
  /// Forgets a session, with its paused run; false if there was none.
  virtual result<bool> erase(std::string_view session_id) = 0;
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
result<std::unique_ptr<session_store>> open_sqlite_store(const std::string& path);

/// Whether the text can be a session id: 1 to 128 visible ASCII characters (0x21 to 0x7E).
bool is_session_id(std::string_view text) noexcept;

} // namespace troupe
