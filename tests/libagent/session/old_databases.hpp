#pragma once

#include "tests/libagent/session/sqlite_peer.hpp"

namespace troupe {

/// What version 1 made, as it made it: two sessions, the second without items.
inline void make_version_1(const std::string& path) {
  auto maker = other_program{path};
  maker.run("PRAGMA journal_mode = WAL");
  maker.run(R"(
    BEGIN;
    CREATE TABLE sessions(
      key INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      agent TEXT NOT NULL,
      created INTEGER NOT NULL,
      updated INTEGER NOT NULL);
    CREATE TABLE items(
      session INTEGER NOT NULL REFERENCES sessions(key),
      sequence INTEGER NOT NULL,
      item TEXT NOT NULL,
      UNIQUE(session, sequence));
    INSERT INTO sessions VALUES(1, 's1', 'triage', 1700000000, 1700000001);
    INSERT INTO sessions VALUES(2, 's2', '', 1700000002, 1700000002);
    INSERT INTO items VALUES(1, 1, '{"content":"one","role":"user","type":"message"}');
    INSERT INTO items VALUES(1, 2, '{"agent":"triage","content":"two","role":"assistant","type":"message"}');
    PRAGMA application_id = 0x54727065;
    PRAGMA user_version = 1;
    COMMIT;)");
}

/// What version 2 added to it: the first session has used something, has an approval and a paused run.
inline void make_version_2(const std::string& path) {
  make_version_1(path);
  other_program{path}.run(R"(
    BEGIN;
    CREATE TABLE session_usage(
      key INTEGER PRIMARY KEY,
      session INTEGER NOT NULL REFERENCES sessions(key),
      agent TEXT NOT NULL,
      model TEXT NOT NULL,
      requests INTEGER NOT NULL,
      input_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      cached_tokens INTEGER NOT NULL,
      reasoning_tokens INTEGER NOT NULL,
      UNIQUE(session, agent, model));
    CREATE TABLE session_approvals(
      session INTEGER NOT NULL REFERENCES sessions(key),
      agent TEXT NOT NULL,
      tool TEXT NOT NULL,
      PRIMARY KEY(session, agent, tool)) WITHOUT ROWID;
    CREATE TABLE paused_runs(
      session INTEGER PRIMARY KEY REFERENCES sessions(key),
      run_id TEXT NOT NULL UNIQUE,
      state TEXT NOT NULL);
    CREATE TRIGGER session_erased AFTER DELETE ON sessions BEGIN
      DELETE FROM items WHERE session = OLD.key;
      DELETE FROM session_usage WHERE session = OLD.key;
      DELETE FROM session_approvals WHERE session = OLD.key;
      DELETE FROM paused_runs WHERE session = OLD.key;
    END;
    INSERT INTO session_usage VALUES(1, 1, 'triage', 'small', 1, 20, 30, 4, 5);
    INSERT INTO session_approvals VALUES(1, 'triage', 'look');
    INSERT INTO paused_runs VALUES(1, 'r1', '{"kept":true}');
    PRAGMA user_version = 2;
    COMMIT;)");
}

/// What version 3 added to that: calls of tools are counted.
inline void make_version_3(const std::string& path) {
  make_version_2(path);
  other_program{path}.run(R"(
    BEGIN;
    ALTER TABLE session_usage ADD COLUMN tool_calls INTEGER NOT NULL DEFAULT 0;
    UPDATE session_usage SET tool_calls = 6;
    PRAGMA user_version = 3;
    COMMIT;)");
}

/// What version 4 added to that: a journal, with the paused run and one that is over.
inline void make_version_4(const std::string& path) {
  make_version_3(path);
  other_program{path}.run(R"(
    BEGIN;
    ALTER TABLE sessions ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    CREATE TABLE processes(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      started INTEGER NOT NULL);
    CREATE TABLE runs(
      key INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      session INTEGER NOT NULL REFERENCES sessions(key),
      process INTEGER NOT NULL,
      owner TEXT NOT NULL,
      status TEXT NOT NULL,
      request TEXT NOT NULL,
      request_sum INTEGER NOT NULL,
      key_hash TEXT NOT NULL,
      first_item INTEGER NOT NULL,
      items INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      outcome_sum INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      created INTEGER NOT NULL,
      changed INTEGER NOT NULL);
    CREATE INDEX unfinished_runs ON runs(process) WHERE status IN ('waiting', 'running');
    CREATE INDEX finished_runs ON runs(changed) WHERE status IN ('completed', 'failed', 'cancelled');
    CREATE INDEX runs_by_session ON runs(session);
    CREATE TABLE journal(
      run INTEGER NOT NULL REFERENCES runs(key),
      sequence INTEGER NOT NULL,
      record TEXT NOT NULL,
      event INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      PRIMARY KEY(run, sequence)) WITHOUT ROWID;
    CREATE TABLE run_events(
      run INTEGER NOT NULL REFERENCES runs(key),
      id INTEGER NOT NULL,
      event TEXT NOT NULL,
      checksum INTEGER NOT NULL,
      PRIMARY KEY(run, id)) WITHOUT ROWID;
    CREATE TRIGGER run_erased AFTER DELETE ON runs BEGIN
      DELETE FROM journal WHERE run = OLD.key;
      DELETE FROM run_events WHERE run = OLD.key;
    END;
    CREATE TRIGGER session_runs_erased AFTER DELETE ON sessions BEGIN
      DELETE FROM runs WHERE session = OLD.key;
    END;
    INSERT INTO runs VALUES(1, 'r1', 1, 1, '', 'paused', '{}', 0, '', 1, 2, '', 0, 7, 1700000000, 1700000000);
    INSERT INTO runs VALUES(2, 'r2', 1, 1, '', 'completed', '', 0, '', 3, 0, '{"result":"x"}', 979379233, 11,
                            1700000000, 1700000000);
    PRAGMA user_version = 4;
    COMMIT;)");
}

/// What version 5 added to that: checksums of items and of what is paused, and the size of what is over. A
/// third run is under way, at process 1; the second has events, and an item of its own.
inline void make_version_5(const std::string& path) {
  make_version_4(path);
  other_program{path}.run(R"(
    BEGIN;
    ALTER TABLE items ADD COLUMN checksum INTEGER;
    ALTER TABLE paused_runs ADD COLUMN checksum INTEGER;
    CREATE TABLE damaged_runs(
      run_id TEXT NOT NULL PRIMARY KEY,
      session INTEGER NOT NULL REFERENCES sessions(key),
      state TEXT NOT NULL,
      checksum INTEGER);
    CREATE INDEX damaged_runs_by_session ON damaged_runs(session);
    CREATE TRIGGER damaged_run_erased AFTER DELETE ON runs BEGIN
      DELETE FROM damaged_runs WHERE run_id = OLD.id;
    END;
    CREATE TRIGGER session_damaged_runs_erased AFTER DELETE ON sessions BEGIN
      DELETE FROM damaged_runs WHERE session = OLD.key;
    END;
    CREATE TABLE journal_size(bytes INTEGER NOT NULL);
    INSERT INTO journal_size SELECT coalesce(sum(bytes), 0) FROM runs
      WHERE status IN ('completed', 'failed', 'cancelled');
    CREATE TRIGGER run_sized AFTER UPDATE OF status, bytes ON runs
      WHEN OLD.status IN ('completed', 'failed', 'cancelled')
        OR NEW.status IN ('completed', 'failed', 'cancelled') BEGIN
      UPDATE journal_size SET bytes = bytes
        + iif(NEW.status IN ('completed', 'failed', 'cancelled'), NEW.bytes, 0)
        - iif(OLD.status IN ('completed', 'failed', 'cancelled'), OLD.bytes, 0);
    END;
    CREATE TRIGGER run_unsized AFTER DELETE ON runs
      WHEN OLD.status IN ('completed', 'failed', 'cancelled') BEGIN
      UPDATE journal_size SET bytes = bytes - OLD.bytes;
    END;
    INSERT INTO processes(started) VALUES(1700000000);
    INSERT INTO items(session, sequence, item) VALUES
      (1, 3, '{"content":"three","role":"user","type":"message"}');
    UPDATE runs SET items = 1 WHERE id = 'r2';
    INSERT INTO runs VALUES(3, 'r3', 2, 1, '', 'running', '{}', 3684480462, '', 1, 0, '', 0, 0, 1700000000, 1700000000);
    INSERT INTO journal VALUES(3, 1, '{1}', 0, 0);
    INSERT INTO run_events VALUES(2, 1, 'a', 0), (2, 3, 'b', 0), (3, 1, 'a', 0), (3, 2, 'b', 0);
    PRAGMA user_version = 5;
    COMMIT;)");
}

} // namespace troupe
