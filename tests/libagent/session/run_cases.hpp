#pragma once

#include "tests/libagent/session/store_cases.hpp"

#include <string>
#include <utility>
#include <vector>

/// How tests of the journal speak of runs, all of the session "s".
namespace troupe {

inline session_append accept(const std::string& run_id, const std::string& request = R"({"prompt":"hi"})") {
  session_append added{"s", "", {}};
  added.run = run_change{run_id, run_acceptance{"ada", request, "hash"}};
  return added;
}

inline session_append begin(const std::string& run_id) {
  auto added = accept(run_id);
  added.items = {said("hi")};
  added.run->begins = true;
  return added;
}

inline session_append note(const std::string& run_id, std::vector<std::string> records) {
  session_append added;
  added.run = run_change{run_id};
  added.run->records = std::move(records);
  return added;
}

inline session_append end(const std::string& run_id, item_list items) {
  session_append added{"s", "a", std::move(items)};
  added.run = run_change{run_id};
  added.run->ended = run_ending{"completed", R"({"result":"x"})"};
  return added;
}

inline stored_run load_run(session_store& store, const std::string& run_id) {
  auto found = store.load_run(run_id);
  INFO((found ? "" : found.error().detail));
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  return std::move(**found);
}

inline session_append pause_run(const std::string& run_id) {
  auto paused = pause("s", run_id);
  paused.run = run_change{run_id};
  paused.run->ended = run_ending{"paused", ""};
  return paused;
}

} // namespace troupe
