#include "libagent/session/sqlite_statements.hpp"

namespace troupe::sqlite {

namespace {

struct definition {
  statement statements::*place;
  std::string_view sql;
};

constexpr definition definitions[] = {
    {&statements::find_session, "SELECT key, agent, owner FROM sessions WHERE id = ?1"},
    {&statements::load_items, "SELECT item, sequence, coalesce(checksum, -1) FROM items WHERE session = ?1 "
                              "ORDER BY sequence"},
    {&statements::load_usage, "SELECT agent, model, requests, input_tokens, output_tokens, cached_tokens, "
                              "reasoning_tokens, tool_calls "
                              "FROM session_usage WHERE session = ?1 ORDER BY key"},
    {&statements::load_approvals, "SELECT agent, tool FROM session_approvals WHERE session = ?1"},
    {&statements::load_paused,
     "SELECT run_id, state, coalesce(checksum, -1) FROM paused_runs WHERE session = ?1"},
    {&statements::load_paused_of, "SELECT state, coalesce(checksum, -1) FROM paused_runs WHERE run_id = ?1 "
                                  "UNION ALL SELECT state, coalesce(checksum, -1) FROM damaged_runs "
                                  "WHERE run_id = ?1"},
    {&statements::session_of, "SELECT s.id FROM paused_runs p JOIN sessions s ON s.key = p.session "
                              "WHERE p.run_id = ?1"},
    {&statements::save_session,
     "INSERT INTO sessions(id, agent, owner, created, updated) VALUES(?1, ?2, ?3, unixepoch(), unixepoch()) "
     "ON CONFLICT(id) DO UPDATE SET updated = excluded.updated, "
     "agent = CASE excluded.agent WHEN '' THEN agent ELSE excluded.agent END RETURNING key"},
    {&statements::last_sequence, "SELECT coalesce(max(sequence), 0) FROM items WHERE session = ?1"},
    {&statements::save_item, "INSERT INTO items(session, sequence, item, checksum) VALUES(?1, ?2, ?3, ?4)"},
    {&statements::load_items_from, "SELECT item, sequence, coalesce(checksum, -1) FROM items "
                                   "WHERE session = ?1 AND sequence >= ?2 ORDER BY sequence LIMIT ?3"},
    {&statements::take_back, "DELETE FROM items WHERE session = ?1 AND sequence > ?2"},
    {&statements::take_from_runs, "UPDATE runs SET items = max(?2 - first_item + 1, 0) WHERE session = ?1 "
                                  "AND items > 0 AND items > ?2 - first_item + 1"},
    {&statements::add_usage,
     "INSERT INTO session_usage(session, agent, model, requests, input_tokens, output_tokens, "
     "cached_tokens, reasoning_tokens, tool_calls) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
     "ON CONFLICT(session, agent, model) DO UPDATE SET requests = requests + excluded.requests, "
     "input_tokens = input_tokens + excluded.input_tokens, "
     "output_tokens = output_tokens + excluded.output_tokens, "
     "cached_tokens = cached_tokens + excluded.cached_tokens, "
     "reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, "
     "tool_calls = tool_calls + excluded.tool_calls"},
    {&statements::approve, "INSERT INTO session_approvals(session, agent, tool) VALUES(?1, ?2, ?3) "
                           "ON CONFLICT DO NOTHING"},
    {&statements::pause, "INSERT OR REPLACE INTO paused_runs(session, run_id, state, checksum) "
                         "VALUES(?1, ?2, ?3, ?4)"},
    {&statements::unpause,
     "DELETE FROM paused_runs WHERE session = (SELECT key FROM sessions WHERE id = ?1)"},
    {&statements::put_by, "INSERT OR REPLACE INTO damaged_runs(run_id, session, state, checksum) "
                          "SELECT run_id, session, state, checksum FROM paused_runs "
                          "WHERE session = (SELECT key FROM sessions WHERE id = ?1)"},
    // A trigger takes away the rest.
    {&statements::erase_session, "DELETE FROM sessions WHERE id = ?1"},
};

} // namespace

result<statements> prepare_statements(database& opened, std::string* damage) {
  auto prepared = statements{};
  for (const auto& [place, sql] : definitions) {
    auto made = opened.prepare(sql, damage);
    if (!made)
      return made.error();
    prepared.*place = std::move(*made);
  }
  return prepared;
}

} // namespace troupe::sqlite
