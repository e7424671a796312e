#pragma once

#include "libagent/core/item.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A session at rest.
struct session_record {
  /// The agent that last answered; empty before the first run.
  std::string agent;
  item_list items;
};

/// What one run adds to a session.
struct session_append {
  std::string session_id;
  /// The agent that answered; empty leaves the session's agent as it was.
  std::string agent;
  item_list items;
};

/// Where sessions live between runs. Not thread-safe: one actor owns a store. Calls may block.
class session_store {
public:
  virtual ~session_store() = default;
  /// The session, or nothing if there is none of that id. Error `store_failed`.
  virtual result<std::optional<session_record>> load(std::string_view session_id) = 0;
  /// Adds to sessions, creating those that are new; all or none, durable when it returns.
  virtual result<void> append(const std::vector<session_append>& batch) = 0;
  /// Forgets a session; false if there was none.
  virtual result<bool> erase(std::string_view session_id) = 0;
};

struct memory_store_options {
  /// Beyond this many sessions the least recently used is forgotten.
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
