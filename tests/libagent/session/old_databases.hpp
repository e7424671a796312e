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

} // namespace troupe
