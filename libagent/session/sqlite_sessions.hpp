#pragma once

#include "libagent/session/sqlite_database.hpp"
#include "libagent/session/sqlite_statements.hpp"
#include "libagent/session/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::sqlite {

/// Which of a session's items are a run's.
struct item_range {
  /// Its key.
  std::int64_t session = 0;
  /// The sequence of the first; 0 for none.
  std::int64_t first = 0;
  /// So many are there, or some are lost.
  std::int64_t least = 0;
  /// Negative for all that there are.
  std::int64_t most = -1;
};

/// Sessions in a session database, as `journal` has its runs. The database must outlive it.
class sessions {
public:
  /// Prepares the statements; `damage` is as of `database::prepare`.
  static result<sessions> open(database& owner, std::string* damage = nullptr);

  // As of `session_store`.

  result<std::optional<session_record>> load(std::string_view session_id);
  result<std::optional<std::string>> session_of(std::string_view run_id);
  result<std::optional<paused_run>> load_paused(std::string_view run_id);
  result<bool> erase(std::string_view session_id);

  /// The items of a run whose other parts have been read. A part of a transaction of the owner's.
  result<void> load_items(const item_range& which, stored_run& into);

  // What adds to a session, parts of a transaction of the owner's.

  /// Forgets what the session's run is paused with, or puts it by.
  result<void> unpause(const session_append& added);
  /// The session's key; makes it if it is new.
  result<std::int64_t> save(const session_append& added);
  /// Nothing if there is none of that id.
  result<std::optional<std::int64_t>> find(std::string_view session_id);
  /// Of its last item; 0 if it has none.
  result<std::int64_t> last_sequence(std::int64_t session);
  /// `last` is the sequence of the session's last item, before and after.
  result<void> save_items(std::int64_t session, const session_append& added, std::int64_t& last);
  /// Usage, approvals and what it is paused with.
  result<void> save_rest(std::int64_t session, const session_append& added);

private:
  sessions(database& owner, statements prepared) : database_(&owner), prepared_(std::move(prepared)) {}
  result<void> load_items(std::string_view session_id, std::int64_t session, item_list& items);
  result<void> load_rest(std::int64_t session, session_record& record);
  /// Hands each row of a statement about one session to `take(row)`, until that returns an error.
  template <class Take>
  result<void> each(const statement& prepared, std::int64_t session, Take take);
  /// Runs a statement that gives nothing back.
  template <class... Values>
  result<void> run(const statement& prepared, const Values&... values);

  database* database_;
  statements prepared_;
};

} // namespace troupe::sqlite
