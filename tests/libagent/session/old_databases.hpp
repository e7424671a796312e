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

} // namespace troupe
