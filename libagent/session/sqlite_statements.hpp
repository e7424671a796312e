#pragma once

#include "libagent/session/sqlite_database.hpp"

namespace troupe::sqlite {

/// All that the session store asks of its database. Parameters and columns in the order named; `session` is a
/// session's key, `id` what users call it by.
struct statements {
  /// (id) -> session, agent, owner
  statement find_session;
  /// (session) -> item, sequence, checksum
  statement load_items;
  /// (session) -> agent, model, requests, input, output, cached, reasoning
  statement load_usage;
  /// (session) -> agent, tool
  statement load_approvals;
  /// (session) -> run_id, state, checksum
  statement load_paused;
  /// (run_id) -> state, checksum: also of a run that was damaged.
  statement load_paused_of;
  /// (run_id) -> id
  statement session_of;
  /// (id, agent, owner) -> session. Makes it if it is new; an empty agent leaves the one it has.
  statement save_session;
  /// (session) -> sequence; 0 if it has no items
  statement last_sequence;
  /// (session, sequence, item, checksum)
  statement save_item;
  /// (session, sequence, count) -> item, sequence, checksum: from that sequence on, at most so many, or all
  /// if the count is negative
  statement load_items_from;
  /// (session, sequence): all items past it.
  statement take_back;
  /// (session, sequence): no run's items are past it.
  statement take_from_runs;
  /// (session, agent, model, requests, input, output, cached, reasoning): adds up.
  statement add_usage;
  /// (session, agent, tool)
  statement approve;
  /// (session, run_id, state, checksum): replaces the session's, and another session's of that run.
  statement pause;
  /// (id)
  statement unpause;
  /// (id): keeps what the session's run is paused with among what is damaged.
  statement put_by;
  /// (id): with all that belongs to it.
  statement erase_session;
};

/// `damage` is as of `database::prepare`.
result<statements> prepare_statements(database& opened, std::string* damage);

} // namespace troupe::sqlite
