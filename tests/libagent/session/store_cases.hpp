#pragma once

#include "libagent/session/store.hpp"
#include "tests/libagent/session/temporary_folder.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// The stores that keep one contract, for `TEMPLATE_TEST_CASE`, and how its tests speak.
namespace troupe {

struct memory_case {
  std::unique_ptr<session_store> store = make_memory_store();
};

struct sqlite_case {
  temporary_folder folder;
  std::unique_ptr<session_store> store = open_sqlite_store(folder / "sessions.db").value();
};

inline item said(std::string text) {
  return user_message{std::move(text)};
}

inline session_append add(std::string id, std::string agent, item_list items) {
  return {std::move(id), std::move(agent), std::move(items)};
}

inline session_append pause(std::string id, std::string run_id, std::string state = "{}") {
  auto added = session_append{std::move(id), "", {}};
  added.paused = paused_run{std::move(run_id), std::move(state)};
  return added;
}

inline session_append unpause(std::string id) {
  auto added = session_append{std::move(id), "", {}};
  added.unpauses = true;
  return added;
}

inline session_append spend(std::string id, std::string_view agent, std::string_view model,
                            const usage& used) {
  auto added = session_append{std::move(id), "", {}};
  added.used.add(agent, model, used);
  return added;
}

inline session_append approve(std::string id, approved_calls approved) {
  auto added = session_append{std::move(id), "", {}};
  added.approved = std::move(approved);
  return added;
}

inline void append(session_store& store, const std::vector<session_append>& batch) {
  const auto added = store.append(batch);
  INFO((added ? "" : added.error().detail));
  REQUIRE(added.has_value());
}

inline session_record load(session_store& store, std::string_view id) {
  auto found = store.load(id);
  INFO((found ? "" : found.error().detail));
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  return std::move(**found);
}

inline bool is_there(session_store& store, std::string_view id) {
  auto found = store.load(id);
  REQUIRE(found.has_value());
  return found->has_value();
}

} // namespace troupe
