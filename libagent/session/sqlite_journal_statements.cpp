#include "libagent/session/sqlite_journal.hpp"

#include <utility>

// What is asked of the database about runs.
namespace troupe::sqlite {

result<void> journal::prepare(std::string* damage) {
  const std::pair<statement statements::*, std::string_view> definitions[] = {
      // More are there than were counted where a process of an older version has written.
      {&statements::find, "SELECT key, status = 'paused', process = ?2, max(coalesce(records, 0), "
                          "(SELECT coalesce(max(sequence), 0) FROM journal WHERE run = key)), "
                          "coalesce(events, (SELECT count(*) FROM run_events WHERE run = key)), "
                          "(SELECT coalesce(max(id), 0) FROM run_events WHERE run = key) "
                          "FROM runs WHERE id = ?1"},
      {&statements::accept,
       "INSERT INTO runs(id, session, process, owner, request, request_sum, key_hash, status, first_item, "
       "items, records, events, outcome, outcome_sum, bytes, created, changed) "
       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, '', 0, 0, unixepoch(), unixepoch()) "
       "ON CONFLICT(id) DO NOTHING RETURNING key"},
      {&statements::erase_id, "DELETE FROM runs WHERE id = ?1 AND (process = ?2 OR "
                              "status IN ('completed', 'failed', 'cancelled'))"},
      {&statements::begin, "UPDATE runs SET status = 'running', first_item = ?2, items = ?3 "
                           "WHERE key = ?1 AND status NOT IN ('completed', 'failed', 'cancelled')"},
      {&statements::resume,
       "UPDATE runs SET status = 'running', process = ?2 WHERE key = ?1 AND status = 'paused'"},
      {&statements::add_record,
       "INSERT INTO journal(run, sequence, record, checksum, event) VALUES(?1, ?2, ?3, ?4, ?5)"},
      // Its items end where another run's begin, which another server may have carried meanwhile.
      {&statements::end, "UPDATE runs SET status = ?2, outcome = ?3, outcome_sum = ?4, "
                         "items = iif(?5 < 0 OR first_item = 0, items, max(min(?5 + 1, coalesce("
                         "(SELECT min(n.first_item) FROM runs n WHERE n.session = runs.session AND "
                         "n.key > runs.key AND n.first_item > runs.first_item), ?5 + 1)) - first_item, 0)), "
                         "bytes = bytes + ?6, process = ?7, records = ?8, events = ?9, "
                         "changed = unixepoch(), request = CASE ?2 WHEN 'paused' THEN request ELSE '' END "
                         "WHERE key = ?1 AND status NOT IN ('completed', 'failed', 'cancelled')"},
      {&statements::drop_records, "DELETE FROM journal WHERE run = ?1"},
      {&statements::add_event,
       "INSERT OR REPLACE INTO run_events(run, id, event, checksum) VALUES(?1, ?2, ?3, ?4)"},
      {&statements::count, "UPDATE runs SET bytes = bytes + ?2, records = ?3, events = ?4 WHERE key = ?1"},
      {&statements::void_event, "DELETE FROM run_events WHERE run = ?1 AND id = ?2"},
      {&statements::load, "SELECT r.key, s.id, r.owner, r.status, r.request, r.request_sum, r.outcome, "
                          "r.outcome_sum, r.session, r.first_item, r.items, r.key_hash, "
                          "coalesce(r.records, -1), coalesce(r.events, -1), coalesce((SELECT "
                          "min(n.first_item) FROM runs n WHERE n.session = r.session AND "
                          "n.key > r.key AND n.first_item > r.first_item) - r.first_item, -1) "
                          "FROM runs r JOIN sessions s ON s.key = r.session WHERE r.id = ?1"},
      {&statements::load_head, "SELECT s.id, r.owner, r.status, r.key_hash, r.outcome, r.outcome_sum, "
                               "(SELECT coalesce(max(id), 0) FROM run_events WHERE run = r.key) "
                               "FROM runs r JOIN sessions s ON s.key = r.session WHERE r.id = ?1"},
      {&statements::load_records,
       "SELECT sequence, record, checksum, event FROM journal WHERE run = ?1 ORDER BY sequence"},
      {&statements::count_events, "SELECT coalesce(max(id), 0), count(*) FROM run_events WHERE run = ?1"},
      {&statements::lost_events, "SELECT events, (SELECT count(*) FROM run_events WHERE run = key) FROM runs "
                                 "WHERE id = ?1 AND status IN ('completed', 'failed', 'cancelled')"},
      {&statements::load_events, "SELECT e.id, e.event, e.checksum FROM run_events e JOIN runs r ON r.key = "
                                 "e.run WHERE r.id = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3"},
      {&statements::dead_processes,
       "SELECT DISTINCT process FROM runs WHERE status IN ('waiting', 'running')"},
      {&statements::adopt,
       "UPDATE runs SET process = ?1 WHERE process = ?2 AND status IN ('waiting', 'running') "
       "AND (?3 = '' OR session = (SELECT key FROM sessions WHERE id = ?3)) "
       "AND (?4 = '' OR session = (SELECT session FROM runs WHERE id = ?4) AND "
       "(status = 'waiting', key) <= (SELECT status = 'waiting', key FROM runs WHERE id = ?4 AND "
       "status IN ('waiting', 'running')))"},
      {&statements::unfinished,
       "SELECT r.id, s.id, r.owner, r.key_hash FROM runs r JOIN sessions s ON s.key = r.session "
       "WHERE r.process = ?1 AND r.status IN ('waiting', 'running') ORDER BY r.status = 'waiting', r.key"},
      {&statements::purge_old, "DELETE FROM runs WHERE key IN (SELECT key FROM runs WHERE "
                               "status IN ('completed', 'failed', 'cancelled') AND "
                               "changed <= unixepoch() - ?1 ORDER BY changed LIMIT ?2)"},
      {&statements::read_size, "SELECT bytes FROM journal_size"},
      {&statements::oldest, "SELECT key, bytes FROM runs WHERE status IN ('completed', 'failed', "
                            "'cancelled') ORDER BY changed LIMIT 1"},
      {&statements::erase_run, "DELETE FROM runs WHERE key = ?1"},
  };
  for (const auto& [place, sql] : definitions) {
    auto made = database_->prepare(sql, damage);
    if (!made)
      return made.error();
    prepared_.*place = std::move(*made);
  }
  return {};
}

} // namespace troupe::sqlite
