#pragma once

#include "libagent/session/journal_reader.hpp"
#include "tests/libagent/session/sqlite_peer.hpp"
#include "tests/libagent/session/store_cases.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

/// Files with a journal, as tests of those who look after them have them.
namespace troupe {

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline session_append begin(const std::string& session, const std::string& run_id) {
  session_append added{session, "", {said("hi from " + run_id + std::string(300, '.'))}};
  added.run = run_change{run_id, run_acceptance{"ada", R"({"prompt":"hi"})", "hash"}};
  added.run->begins = true;
  added.run->first_event = 1;
  for (int i = 1; i <= 3; ++i)
    added.run->events.push_back(fmt::format("\ntext_delta\n\"event {} of {}\"", i, run_id));
  added.run->records = {R"({"step":1})", R"({"step":2})", R"({"step":3})"};
  return added;
}

inline session_append end(const std::string& session, const std::string& run_id) {
  session_append added{session, "a", {said("done" + std::string(300, '.'))}};
  added.run = run_change{run_id};
  added.run->ended = run_ending{"completed", fmt::format(R"({{"result":"{}"}})", run_id)};
  return added;
}

inline std::string id_of(int number) {
  return fmt::format("run_{:03}", number);
}

/// Runs of several sessions, each tenth of which is under way.
inline std::vector<std::string> fill(session_store& store, int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) {
    const auto session = fmt::format("s{}", i % 7);
    ids.push_back(id_of(i));
    append(store, {begin(session, ids.back())});
    if (i % 10 != 0)
      append(store, {end(session, ids.back())});
  }
  return ids;
}

inline std::string reason_not_read(const std::string& path) {
  const auto opened = journal_reader::open(path, nothing_to_hide());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == errc::store_failed);
  CHECK_THAT(opened.error().detail, Catch::Contains(path));
  return opened.error().detail;
}

} // namespace troupe
